//! Options for the extras, dependency groups and workspace members of a project.

use clap::Args;

use crate::domain::{ExtraName, GroupName, GroupSelection, MemberSelection, PackageName};

/// The options, named as in uv.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which parts of a project")]
pub struct GroupArgs {
    /// Also fetch this extra of a lock file or a pyproject.toml; repeatable.
    #[arg(long, value_name = "EXTRA", value_delimiter = ',', conflicts_with = "only_group")]
    extra: Vec<ExtraName>,
    /// Fetch every extra.
    #[arg(long, conflicts_with = "only_group")]
    all_extras: bool,
    /// Also fetch this dependency group; repeatable.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    group: Vec<GroupName>,
    /// Fetch every dependency group.
    #[arg(long)]
    all_groups: bool,
    /// Leave out the groups that the project's own tool takes without being asked.
    #[arg(long, hide_short_help = true)]
    no_default_groups: bool,
    /// Fetch this dependency group and not the project's own dependencies; repeatable.
    #[arg(long, value_name = "GROUP", value_delimiter = ',', hide_short_help = true)]
    only_group: Vec<GroupName>,
    /// Fetch what this member of a uv workspace needs, in the place of the project; repeatable.
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "all_packages", hide_short_help = true)]
    package: Vec<PackageName>,
    /// Fetch what all members of a uv workspace need.
    #[arg(long, hide_short_help = true)]
    all_packages: bool,
}

impl GroupArgs {
    /// Returns the selection of extras, groups and members that the options ask for.
    pub fn selection(&self) -> GroupSelection {
        GroupSelection {
            extras: self.extra.iter().cloned().collect(),
            all_extras: self.all_extras,
            groups: self.group.iter().cloned().collect(),
            all_groups: self.all_groups,
            no_default_groups: self.no_default_groups,
            only_groups: self.only_group.iter().cloned().collect(),
            members: self.members(),
        }
    }

    fn members(&self) -> MemberSelection {
        match (self.all_packages, self.package.as_slice()) {
            (true, _) => MemberSelection::All,
            (false, []) => MemberSelection::Root,
            (false, named) => MemberSelection::Named(named.iter().cloned().collect()),
        }
    }
}

//! Fetch what a Python project needs, for every target, before the network is gone.
//!
//! A library for one program, [`cli::run`]; nothing here is promised to other crates.
//!
//! # The idea
//!
//! Everything that is written is a [`Tree`](domain::Tree): relative paths, each with an object of
//! the store or a small page. A [`layout`] makes a tree and touches nothing; a sink in [`archive`]
//! writes one and knows no layout. So each layout works with each sink, and the bytes follow from
//! what was fetched alone.
//!
//! # The way of a run
//!
//! Every stage has a type that only the stage before it can make:
//!
//! ```text
//! Args → Settings → ParsedInput → Question ⇄ Facts → Solution → Plan → Fetched → Tree → written
//! typed  decided    input         └ resolve::step ┘  by target   merged  held      layout  archive
//! ```
//!
//! # The map
//!
//! A module uses the layers below its own, and none beside it (`tests/it/architecture.rs`).
//!
//! | layer | module | is about | never knows |
//! |---|---|---|---|
//! | 4 | [`cli`] | arguments, settings, words, exit codes | how anything is done |
//! | 3 | [`ops`] | the use cases: plan, fetch, write, verify, serve, push, look after the cache | standard output, bars, exit codes |
//! | 2 | [`resolve`] | facts into solutions | where facts come from; async |
//! | 2 | [`index`] | what indexes and links offer of a project | which file is best; the store |
//! | 2 | [`store`] | bytes by their digest | names, versions, what a wheel is |
//! | 2 | [`shared_store`] | what several caches have in common, in an object store | names, versions; this machine's cache |
//! | 2 | [`interpreter`] | what a Python and its pip say of themselves | what is fetched for them |
//! | 1 | [`input`] | text into requirements | HTTP, indexes, which version wins |
//! | 1 | [`select`] | the file for a target, and why not the others | which version wins; downloads |
//! | 1 | [`layout`] | what was fetched into a tree | the disk; other layouts |
//! | 1 | [`archive`] | a tree into a folder or an archive | layouts, the clock, the locale |
//! | 1 | [`cache_folder`] | the cache's folders, their formats, and small files in them | what is cached |
//! | 1 | [`http`] | URLs and bytes, retries, credentials | packages; what a digest is for |
//! | 0 | [`parallel`] | work that threads share | what the work is |
//! | 0 | [`regular_file`] | opening files that may be pipes or devices | what is in them |
//! | 0 | [`domain`] | the nouns and their rules (PEP 440, 508, 425 …) | files, network, clock, environment |
//!
//! A new layout, input format or archive format is a file and a line in the table of its module:
//! [`layout::LAYOUTS`], [`input::FORMATS`], [`archive::FORMATS`].
//!
//! # Glossary
//!
//! The nouns that one must know, each with the term of the field that it stands for.
//!
//! | noun | is |
//! |---|---|
//! | [`Requirement`](domain::Requirement) | a line that asks for a project or bounds it (PEP 508; pip's requirements files) |
//! | [`Dependency`](domain::Dependency) | what a distribution's metadata asks for (`Requires-Dist`) |
//! | [`Marker`](domain::Marker), [`Specifiers`](domain::Specifiers) | the condition of either (PEP 508), and its version specifiers (PEP 440) |
//! | [`Target`](domain::Target) | a Python and a platform that are served: its marker values and tags (PEP 425, 600, 656) |
//! | [`Listing`](domain::Listing) | what an index offers of one project: versions and files (the Simple API: PEP 503, 691, 700) |
//! | [`Candidate`](domain::Candidate) | a wheel (PEP 427) or source distribution (PEP 625) that an index offers; pip's `InstallationCandidate` |
//! | [`FileLink`](domain::FileLink) | where a file is and what must be true of it, whether an index, a URL or a lock names it; pip's `Link` |
//! | [`ExpectedContent`](domain::ExpectedContent) | the digests and the size that a line or an index states for a file |
//! | [`ResolutionMetadata`](domain::ResolutionMetadata) | what a distribution says that it needs (core metadata: PEP 566, 643, 658) |
//! | [`CandidateSelector`](select::CandidateSelector) | the rule by which a file is chosen for a target, as pip's package finder |
//! | [`Question`](domain::Question), [`Facts`](resolve::Facts) | what the resolver is asked, and what is known of indexes so far |
//! | [`Solution`](domain::Solution) | the versions chosen for one target, each a [`ResolvedPackage`](domain::ResolvedPackage) |
//! | [`Plan`](domain::Plan), [`Fetched`](domain::Fetched) | all targets' solutions as files to fetch, and those files once they are held |
//! | [`Tree`](domain::Tree), [`TreeSink`](archive::TreeSink) | relative paths, each with an object of the store or a small page, and where they are written |
//! | [`Layout`](layout::Layout) | a shape that an installer reads, such as `--find-links` or PEP 503 |
//! | bundle | one archive or folder with wheels, manifest and install scripts ([`layout::bundle`]) |
//! | manifest | the bundle's list of its files, targets and requirements |
//! | [`DiskStore`](store::DiskStore), object | the content-addressed store, and a file in it |
//! | [`SharedStore`](shared_store::SharedStore) | an object store that several machines read and fill (`--store`) |
//! | [`CacheBucket`](cache_folder::CacheBucket) | a folder of the cache, with the version of its format |
//! | [`CacheEntries`](cache_folder::CacheEntries), entry | small files of the cache by folder and name, here and in the shared store |
//! | [`HttpClient`](http::HttpClient), retry, circuit breaker | what sends requests, when it sends one again, and when it stops asking a host |
//! | [`Indexes`](index::Indexes), flat index | the indexes asked for a project, and a page or folder of links (`--find-links`) |
//! | [`MetadataProvider`](ops::MetadataProvider) | what finds out the facts that a step of the resolver lacks |
//! | [`FetchContext`](ops::FetchContext) | client, indexes, store and caches of a run |
//! | [`Remedy`](domain::Remedy) | what helps against a failure; only [`cli`] knows the words |
//! | [`Finding`](ops::Finding) | what `verify` finds wrong |
//! | [`Layers`](cli) | the places where a setting may stand, strongest first, as pip orders them |
//!
//! # On disk
//!
//! Below the cache folder (`--cache-dir`, `PREFETCH_CACHE_DIR`, else the platform's), shared by any
//! number of runs at once. Everything there appears by a rename and can be deleted at any time. The
//! folders and the versions of their formats are those of [`CacheBucket`](cache_folder::CacheBucket).
//!
//! | path | holds | owner |
//! |---|---|---|
//! | `objects-v1/ab/cd…` | every file ever fetched, by SHA-256, read-only and sealed | [`store`] |
//! | `aliases-v1/md5/…` | the SHA-256 of an object, by another digest of it | [`store`] |
//! | `runs-v1/` | the files that each run used, from where and for which targets; its time is that of the last such run | [`ops::cache`] |
//! | `incoming-v1/` | files that are being written, and partial files of killed runs | [`store`], [`cache_folder`] |
//! | `pages-v1/` | index pages, by the user who was served, with their validators | [`index`] |
//! | `plans-v5/` | plans that were made from these pages, for the same question asked again | [`ops`] |
//! | `metadata-v5/` | the metadata of distributions, by the file's SHA-256 and names | [`index`] |
//! | `index-metadata-v3/` | the metadata that indexes serve for files, by index and file | [`index`] |
//! | `local-v1/` | the SHA-256 of local files for which no index promises one, while they are unchanged | [`index`] |
//! | `built-v3/` | the metadata that builds of source archives stated, by the building Python | [`index`] |
//! | `built-wheels-v2/` | which objects are wheels that were built here, by all that a build depends on | [`ops`] |
//! | `interpreters-v1/` | the answers of interpreters, by their identity | [`interpreter`] |
//! | `repositories-v1/` | working trees of git repositories, by user and URL, each its user's own | [`ops`] |
//! | `source-trees-v1/ab…/` | source archives packed from folders and repositories, by SHA-256 | [`ops`] |
//!
//! What is written for the user goes to `--dest`, `--bundle` and `--report`, and nowhere else.

pub mod archive;
pub mod cache_folder;
pub mod cli;
pub mod domain;
pub mod http;
pub mod index;
pub mod input;
pub mod interpreter;
pub mod layout;
pub mod ops;
pub mod parallel;
pub mod regular_file;
pub mod resolve;
pub mod select;
pub mod shared_store;
pub mod store;

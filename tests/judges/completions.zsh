# What zsh offers for a line, one candidate a line: zsh -f completions.zsh SCRIPT LINE
setopt extendedglob
zmodload zsh/zpty
setup='
PROMPT= RPROMPT=
autoload -U compinit && compinit -D -u
source $script
# What only fills an array for others is no offer.
compadd() {
    [[ ${@[1,(i)-]} == *-[OAD]* ]] && { builtin compadd "$@"; return }
    local -a offers
    builtin compadd -O offers "$@"
    local offer
    for offer in $offers; do print -r -- "<$offer>"; done
    builtin compadd "$@"
}
finish() { print "</offers>" }
zle -C offer list-choices _main_complete
bindkey "^T" offer
comppostfuncs=(finish)
print REA"DY"
'
zpty shell "script=${(q)1} zsh -f -i"
zpty -w shell "$setup"
zpty -r shell seen '*READY*'
zpty -w -n shell "$2"$'\x14'
zpty -r shell seen '*</offers>*'
zpty -d shell
for line in ${(f)seen//$'\r'}; do
    if [[ $line == (#b)*'<'([^/]*)'>' ]]; then print -r -- $match[1]; fi
done

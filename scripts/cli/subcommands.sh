# The subcommands and their options: one row each, read by the argument check and by --help.
#
# synopsis[NAME]   what --help prints after the name
# purpose[NAME]    one line
# options[NAME]    "option:kind" words; kinds are checked by check_arguments.sh ("flag" takes no value)
# operands[NAME]   kind of the operands, with '*' (any number), '+' (at least one) or '1' (exactly one); "" for none
# shellcheck shell=bash disable=SC2034
declare -A synopsis purpose options operands

flavours=(dev release fuzz tsan sched sched-tsan fuzz-sched msan afl cov)
modes=(sequential schedule free)

synopsis[fuzz]='[TARGET…] [--seconds N] [--engine libfuzzer|afl] [--jobs J] [--keep-going] [--known FILE]'
purpose[fuzz]='hunt for bugs: all targets but differential, 60 s in all by default; resumes from work/'
options[fuzz]='--seconds:seconds --engine:engine --jobs:count --keep-going:flag --known:file --flavour:flavour --mode:mode --seed:number --subject:subject'
operands[fuzz]='target*'

synopsis[test]='[--full]'
purpose[test]='build everything and run every test'
options[test]='--full:flag'
operands[test]=''

synopsis[replay]='FILE… [--repeat N] [--gdb] [--texts DIR]'
purpose[replay]='run programs (bytes, text, traces), each in a child, and print the verdict of each'
options[replay]='--repeat:count --gdb:flag --texts:output_dir --flavour:flavour --mode:mode --seed:number --subject:subject'
operands[replay]='file+'

synopsis[minimize]='FILE [-o OUT.ops] [--seconds N] [--any]'
purpose[minimize]='the shortest program that shows the same violation'
options[minimize]='-o:output --output:output --seconds:seconds --any:flag --flavour:flavour --mode:mode --seed:number --subject:subject'
operands[minimize]='file1'

synopsis[explore]='FILE… [--bound N | --unbounded] [--strategy dfs|pct|random] [--runs N] [--older N] [--places OUT]'
purpose[explore]='run programs of several threads under many schedules'
options[explore]='--bound:number --unbounded:flag --strategy:strategy --runs:count --older:number --places:output --flavour:flavour --mode:mode --seed:number --subject:subject'
operands[explore]='file+'

synopsis[sweep]='FILE… [--how once|persistent|both] [--sites]'
purpose[sweep]='fail every system call of each program in turn'
options[sweep]='--how:how --sites:flag --flavour:flavour --mode:mode --seed:number --subject:subject'
operands[sweep]='file+'

synopsis[diff]='FILE… [--subjects A,B,…] [--known FILE] [--keep-going] | --table [--subjects A,B,…] [-o FILE]'
purpose[diff]='run programs on several allocators and show where they differ; or what each answers to each clause'
options[diff]='--subjects:subjects --known:file --keep-going:flag --table:flag -o:output --output:output --flavour:flavour --mode:mode --seed:number'
operands[diff]='file*'

synopsis[export-c]='FILE [-o OUT.c]'
purpose[export-c]='a standalone C file on the plain malloc API that fails the same way'
options[export-c]='-o:output --output:output --flavour:flavour --mode:mode --seed:number --subject:subject'
operands[export-c]='file1'

synopsis[show]='FILE'
purpose[show]='print a program as text'
options[show]='--flavour:flavour'
operands[show]='file1'

synopsis[encode]='FILE.ops -o OUT'
purpose[encode]='text to bytes'
options[encode]='-o:output --output:output --flavour:flavour'
operands[encode]='file1'

synopsis[generate]='NAME [--threads N] [--rounds N] [-o FILE]'
purpose[generate]='print the program of a named workload'
options[generate]='--threads:threads --rounds:rounds -o:output --output:output --flavour:flavour --mode:mode --seed:number'
operands[generate]='workload1'

synopsis[record]='[-o FILE] -- CMD…'
purpose[record]="keep any program's allocations; exits with its status"
options[record]='-o:output --output:output --flavour:flavour'
operands[record]='command+'

synopsis[import]='TRACE -o DIR [--window N]'
purpose[import]='cut a trace into seed programs'
options[import]='-o:output_dir --output:output_dir --window:count --max:count --flavour:flavour'
operands[import]='file1'

synopsis[mutants]='[--filter GLOB] [--seconds N] [--programs N] [--patch FILE…] [--blind] [--compare] [--hunt-only]'
purpose[mutants]='build each seeded bug (or your patches), hunt each for at most N seconds or programs, print the scoreboard'
options[mutants]='--filter:mutant_glob --seconds:seconds --programs:count --patch:files --blind:flag --compare:flag --hunt-only:flag --seed:number'
operands[mutants]=''

synopsis[bench]='[NAME…] [--against LIST]'
purpose[bench]='throughput and memory beside the other allocators of this machine'
options[bench]='--against:text --runs:count --instructions:flag'
operands[bench]='text*'

synopsis[status]='DIR'
purpose[status]='a campaign of soak/soak.sh as it runs, or as it ended'
options[status]=''
operands[status]='directory1'

synopsis[report]='DIR [-o FILE.html]'
purpose[report]='a campaign as one page, or as FILE.json or FILE.md'
options[report]='-o:output --output:output'
operands[report]='directory1'

synopsis[subjects]=''
purpose[subjects]='what can be tested here'
options[subjects]='--flavour:flavour'
operands[subjects]=''

synopsis[doctor]=''
purpose[doctor]='what is missing here'
options[doctor]=''
operands[doctor]=''

synopsis[build]='PRESET…'
purpose[build]='build what is used of flavours (tests: ./assay test): '"${flavours[*]}"
options[build]=''
operands[build]='flavour+'

synopsis[help]='[SUBCOMMAND]'
purpose[help]='this list, or one subcommand'
options[help]=''
operands[help]='subcommand*'

subcommand_order=(fuzz test replay minimize explore sweep diff export-c show encode generate record import mutants bench status report subjects doctor build help)

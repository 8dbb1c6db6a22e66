//! `Z0xx`: what cannot be read.

super::codes! {
UNEXPECTED "Z001" "unexpected" "something else was expected here"
"The statement begins well, but does not go on as its form wants.

    param version strng 0.0.1        # a default stands behind `=`
    param version string = 0.0.1

The message says what may stand at that place and what was found. The forms of all statements are in
`grammar/zdt.pest`, with an example each."

QUOTE "Z002" "unclosed-quote" "a quote is opened and never closed"
"A text in quotes ends at the next quote of the same kind, also when that is lines further down.

    say \"done                         # never closed
    say \"done\"

A `\"` inside double quotes is written `\\\"`. There is no way to write `'` inside single quotes:
use double quotes there. When the place looks innocent, a quote is missing further up: the
message names the likely one."

BRACKET "Z003" "unclosed-bracket" "a `[`, `(`, `$(` or `${` has no end, or an end has no beginning"
"Brackets come in pairs.

    for app in [app_1 app_2 {        # `]` is missing
    for app in [app_1 app_2] {

A list may go over several lines; `$( )` and `${ }` end on the line where they begin."

BRACE "Z004" "unbalanced-brace" "a block is never closed, or a `}` closes nothing"
"Every `{` that opens a block needs its `}`.

    task upgrade {
        drain app_1
                                     # `}` is missing here

A brace that is meant as a character stands in quotes: `'{'`."

SPECIAL "Z005" "unquoted-special" "a character that means something to a shell stands outside quotes"
"zdt starts no shell behind your back, so a pipe, a redirection or a pattern would not do what it looks
like. Rather than to pass these characters on silently, zdt wants to be told what is meant.

    run ls *.log | wc -l             # neither a pattern nor a pipe
    sh 'ls *.log | wc -l'            # a shell, asked for
    run grep 'a|b' file              # just characters

The characters are | & < > * ( ) [ ] { } \\ and the backtick, and some that only look like a blank or a quote."

VARIABLE "Z006" "bad-variable" "a `$` without a proper name behind it"
"A variable is `$name` or `${name}`; names are made of a-z, 0-9 and _, and do not begin with a digit. A variable
of the environment is `${env.NAME}`. There are no `$1`, `$?` and no `${name:-default}`.

    say $HOME                        # say ${env.HOME}
    say \"5$\"                         # say \"5\\$\" or say '5$'
    say $appName                     # say ${app}Name"

ESCAPE "Z007" "bad-escape" "a backslash in double quotes before a character that needs none"
"In double quotes a backslash makes \\n (new line), \\t (tab), \\\" \\\\ and \\$. Anything else is an error, so that
a pattern cannot change its meaning on the way.

    sh \"grep '\\d' log\"               # an unknown escape
    sh 'grep \"\\d\" log'               # single quotes are raw"

NAME "Z008" "bad-name" "a statement does not begin with a name, or a name has a character that names cannot have"
"A statement begins with a verb. Names of verbs, tasks, params and variables are made of a-z, 0-9 and _, and do not
begin with a digit.

    ./migrate.sh                     # run ./migrate.sh
    version=2                        # let version = 2
    task blue-green {                # task blue_green {"

TYPE "Z009" "unknown-type" "a param has a type that does not exist"
"The types are `string` (also without any), `path`, `duration`, `size`, `percent`, `int`, `bool` and `list`.

    param wait time = 30s            # no such type
    param wait duration = 30s"

DEPTH "Z010" "too-deep" "blocks, conditions or `$( )` are nested more than 64 deep"
"Nobody writes this by hand; a limit keeps a generated or broken text from exhausting memory. Put
the inner part into a `task` or a `def` of its own.

    def inner(app) { drain $app }
    task outer { for app in $backends { inner $app } }"

SIZE "Z011" "too-large" "a text or a statement is larger than zdt reads"
"A recipe may have 4 MiB, one statement 256 KiB. Data belongs into a file of its own.

    copy big.sql /srv/db/import.sql  # rather than a `sh` with all of it inside"

BINARY "Z012" "not-text" "the file holds a NUL byte, so it is no text"
"A recipe is text in UTF-8. Most likely the wrong file was named.

    zdt upgrade.zdt                  # not the archive that it came in"

MISPLACED "Z013" "misplaced-block" "a block or an `else` stands where none belongs"
"Blocks belong to `task`, `def`, `for`, `if`, `else`, `retry`, `timeout`, `on failure` and `finally`, and begin on the
line of their statement. An `else` follows the block of an `if`.

    drain app_1 { say gone }         # `drain` takes no block
    drain app_1; say gone"

HOME "Z015" "bad-home" "a `~` at the start of a word that is not your home folder"
"`~` means your home folder, alone or before a `/`. The folders of others are not looked up.

    copy ~deploy/app.env .           # copy /home/deploy/app.env .
    say '~5 minutes'                 # just a character"
}

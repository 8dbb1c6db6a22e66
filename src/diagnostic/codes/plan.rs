//! `Z1xx`: what is wrong with a recipe that can be read: names, types, places.

super::codes! {
UNKNOWN_VERB "Z101" "unknown-verb" "there is no verb, `def` or task of that name"
"The first word of a statement is a verb of zdt, a `def` of your own, or a task.

    drian app_1          # did you mean `drain`?

A program of your own is run with `run PROGRAM …`."

RESERVED_WORD "Z102" "reserved-word" "a word that is kept for a later version"
"Some words belong to the language already, although this version cannot do them yet. They are refused instead of
taken for something else, so that a recipe means the same tomorrow.

    parallel { recreate app_1; recreate app_2 }
    recreate app_1 app_2         # several targets are worked on side by side already"

UNSET "Z103" "unset" "a name is used that nothing sets"
"A name stands for a loop variable, a `let`, a `param` or `${env.NAME}`. Unlike in a shell an unset one is an error
and never empty.

    pull $repo:$version      # needs `param repo` and `param version`"

REQUIRED "Z104" "required-param" "a param without default was not given"
"A param without `= default` must be given when a chosen task reaches it.

    zdt upgrade.zdt --set version=0.0.2"

UNKNOWN_PARAM "Z105" "unknown-param" "`--set` names a param that the recipe does not declare"
"Whatever is given must be used, or it was a slip.

    zdt recipes/upgrade.zdt --help      # lists the recipe's params"

WRONG_TYPE "Z106" "wrong-type" "a value is not what its place demands"
"Values keep their text (`007` stays `007`) until a place demands a type: a duration (`30s`), a size (`64m`), a
percentage, a whole number, `true` or `false`.

    drain app_1 timeout=30s      # not timeout=30"

LIST_IN_WORD "Z107" "list-in-word" "a list stands where one value is expected"
"A list is several values. Go through it:

    for app in $backends { drain $app }"

UNKNOWN_KEY "Z108" "unknown-key" "the verb has no such key"
"A `key=value` that nobody reads would be a silent slip, so it is an error.

    drain app_1 timout=5s        # did you mean `timeout`?"

BAD_ARGUMENT "Z109" "bad-argument" "an argument is missing, given twice, or one too many"
"The message says what the verb takes; all of it is shown by

    zdt explain drain"

UNKNOWN_BACKEND "Z110" "unknown-backend" "no backend of that name is declared"
"Backends are declared once, most often in `app.zdt`:

    backend app_1 port=3000 health=/ping"

UNKNOWN_BEFORE_RUN "Z111" "unknown-before-run" "a value is needed before the run, but only the run can know it"
"What steps work on is planned and checked before anything is touched, so it cannot depend on a command's output.
Give it as a param instead, and let your shell run the command first:

    zdt deploy.zdt --set apps=\"$(list-apps)\""

WRONG_PLACE "Z112" "wrong-place" "a statement stands where it cannot"
"`param`, `task`, `def`, `include` and declarations stand at the top of a file; steps stand inside a task, or alone in
the file that is run.

    task upgrade { drain app_1 }"

TWICE "Z113" "declared-twice" "a name is declared twice"
"Each param, variable, task, def and backend has one declaration, and none hides another: a `let` or a loop inside a
block cannot take a name that is seen there already. The arguments of a def are its own names and may be called like
a param. A param of the file that includes beats the included one:

    include app.zdt
    param project = shop         # instead of app.zdt's"

TAKEN_NAME "Z114" "taken-name" "a declared name is a word of the language"
"A recipe reads the same for everybody: no def and no task is called like a verb, a keyword or a word that declares. A
param or variable is not called like a keyword, nor like `backends`, the list that zdt sets itself.

    def drain_slowly(app) { drain $app timeout=5m }"

CIRCLE "Z115" "circle" "something needs itself"
"A param's default that needs the param, or a task that calls itself:

    param a = $b
    param b = $a"

NO_TASK "Z116" "no-task" "there is nothing to run"
"The first task of the named file is run when none is named. A file that only declares has none.

    zdt recipes/app.zdt          # declares only; try recipes/upgrade.zdt"

TOO_MANY_STEPS "Z117" "too-many-steps" "the plan has too many steps"
"Loops within loops multiply. A plan is meant to be read before it is run.

    for a in $list { for b in $list { for c in $list { … } } }"

BAD_INCLUDE "Z118" "bad-include" "an included file cannot be read"
"A path is relative to the file that says `include`. It must be a plain text file, named without `$`.

    include ../shared/app.zdt"

EMPTY "Z119" "empty-block" "a block does nothing"
"It is allowed, but hardly meant (a line was perhaps forgotten), so zdt says so and goes on. A warning.

    retry 3 { }"

UNSAFE "Z120" "unsafe" "the recipe would take away the last backends that serve"
"Found by walking the plan through the simulated world: at this step fewer healthy backends than `min_serving` would
be in traffic, or a backend in traffic would be touched. Put another one into traffic first, or say
`allow=downtime` on that step.

    drain app_1 app_2            # of two: refused"
}

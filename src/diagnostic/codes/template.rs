//! `Z3xx`: what is wrong with a template.

super::codes! {
TEMPLATE_UNREADABLE "Z301" "template-unreadable" "a template cannot be read"
"The path is relative to the file that declares it.

    proxy nginx template=../docker/nginx/default.conf.hbs config=$dir/nginx/default.conf"

TEMPLATE_BROKEN "Z302" "template-broken" "a template is no valid handlebars text"
"Every block needs its end, and every name its braces.

    {{#each upstreams}} … {{/each}}"

TEMPLATE_VALUE "Z303" "template-value" "a template asks for a value that does not exist"
"A template sees the recipe's params and the values zdt adds; the message lists them. Inside `{{#each}}` the names of
one item are seen, and `{{../name}}` means one outside.

    {{project}}   {{#each backends}}{{name}} {{image}}{{/each}}

Also a value that cannot stand there: one with characters that mean something in that kind of file, or, for nginx, an
empty one, since the next word would be taken for it."
}

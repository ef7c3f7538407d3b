# A browser for the shell. `as NAME` begins with no cookies. `send PAGE FIELD=VALUE ...` opens a page
# of the portal, fills in its form, sends it, and prints the heading of the page that comes then.
portal=http://127.0.0.1:${PORT:-8000}

as() { jar=$WINDDOWN_LOCAL_DIR/cookies-of-$1; rm -f "$jar"; }

ask() { curl -sSL -H "Accept-Language: en" -b "$jar" -c "$jar" -o "$jar.html" -w "%{url_effective}" "$@"; }

send() {
    local at field fields=()
    at=$(ask "$portal$1")
    shift
    for field in "$(hidden)" "$@"; do
        while IFS= read -r field; do fields+=(--data-urlencode "$field"); done <<<"$field"
    done
    ask "${fields[@]}" "$at" > /dev/null
    sed -n 's/.*<h1[^>]*>\([^<]*\).*/\1/p' "$jar.html"
}

# What a form sends although nobody types it, such as its token.
hidden() {
    grep -o '<input type="hidden"[^>]*>' "$jar.html" |
        sed 's/.*name="\([^"]*\)".*value="\([^"]*\)".*/\1=\2/'
}

# The link in the newest mail to somebody.
link_for() {
    cat "$WINDDOWN_LOCAL_DIR"/mail/*.log | sed -n "/^To: $1/,/recovery.link/p" |
        grep -o '/recovery/link/[^ ]*' | tail -1
}

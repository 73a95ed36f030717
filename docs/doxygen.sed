# What doxygen 1.9 does not know of Markdown: a link to a heading. tools/check_docs.py checks those.
s/\]\(#[^)]*\)/]/g
s/\]\(([^)#:]*)#[^)]*\)/](\1)/g

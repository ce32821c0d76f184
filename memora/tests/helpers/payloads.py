"""Texts that a screen, a sanitizer or a parser may take for something else. Each is a title as somebody may type it."""

from __future__ import annotations

RAN = "ran()"
"""What each of the hostile texts calls if it runs."""

ORDINARY = (
	"HTML: <h1> vs <h2>",
	"The <main> element",
	"if x<y and y>z",
	"لغة <html>",
	"C++ vector<int>",
	"<p>",
	"a < b",
	"a > b & c",
	"5 <3 ♥ 👩‍🚀",
	"<!-- no comment -->",
	"<!-- markdown --> <b>",
	"<?php echo 1 ?>",
	"List<Map<K, V>>",
	"A&lt;B",
	"A&amp;lt;B &#60;p&#62; &nbsp;",
	'it\'s "quoted" `code`',
	"**bold** [a](javascript:alert(1))",
	"{{ 7*7 }} {% raw %} ${7*7} %(x)s %s {0} $&",
	"‫يمين <b> يسار‬ ‏",
	"C:\\new\\<dir>",
	"null",
	"[1, 2]",
	"12",
)

HOSTILE = (
	f'<img src=x onerror="{RAN}">',
	f"<svg/onload={RAN}>",
	f"<script>{RAN}</script>",
	f"</script><script>{RAN}</script>",
	f"</textarea></title></style><img src=x onerror={RAN}>",
	f'["<img src=x onerror={RAN}>"]',
	f'{{"a": "<img src=x onerror={RAN}>"}}',
	f'"<img src=x onerror={RAN}>"',
	f"&lt;img src=x onerror={RAN}&gt;",
	f"&amp;lt;img src=x onerror={RAN}&amp;gt;",
	f"&#60;img src=x onerror={RAN}&#62;",
	f'["\\u003cimg src=x onerror={RAN}\\u003e"]',
	f'x" onmouseover="{RAN}" autofocus onfocus="{RAN}" style="position:fixed;inset:0" x="',
	f"x' onmouseover='{RAN}' autofocus onfocus='{RAN}' style='position:fixed;inset:0' x='",
	f"x onmouseover={RAN} x=`",
	f"javascript:{RAN}",
	f"');{RAN};('",
	f"${{{RAN}}} {{{{{RAN}}}}} `${{{RAN}}}`",
	f"{{{{ constructor.constructor('{RAN}')() }}}}",
	f'"><img src=x onerror={RAN}><a href="javascript:{RAN}">x</a>',
	f'<iframe srcdoc="<script>parent.{RAN}</script>">',
	f"%3Cimg src=x onerror={RAN}%3E %22 onmouseover=%22{RAN}",
	f"\\u003cimg src=x onerror={RAN}\\u003e \\x3csvg onload={RAN}\\x3e",
	f"＜img src=x onerror={RAN}＞ ‹svg onload={RAN}›",
	f"{{% print({RAN}) %}} <%= {RAN} %> #{{{RAN}}} [[{RAN}]]",
	f"<b>{'ä' * 60}</b><img src=x onerror={RAN}>",
)

TEXTS = ORDINARY + HOSTILE

"""Configs of stages as the contract's page shows them: each type, and each kind of a Question."""

from __future__ import annotations

from typing import Any

CONFIGS: dict[str, list[dict[str, Any]]] = {
	"Video": [
		{
			"video_url": "https://www.youtube.com/watch?v=aqz-KE-bpKQ",
			"title": "Waves on a rope",
			"start": 12,
			"end": 95.5,
		},
		{
			"video_url": "https://videos.example/waves.mp4",
			"poster": "lessons/waves-1/2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae.png",
			"captions": [
				{
					"src": "lessons/waves-1/fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9.vtt",
					"lang": "ar",
					"label": "العربية",
				}
			],
		},
	],
	"Text": [
		{
			"html": "<h3>Energy</h3><p>A mass <em>m</em> at a speed <em>v</em> has \\(\\frac{1}{2} m v^2\\).</p>"
			'<pre><code class="language-python">energy = m * v ** 2 / 2</code></pre>'
			"<table><tr><th>v</th><th>energy</th></tr><tr><td>1</td><td>0.5 m</td></tr></table>",
		},
		{"text": "تُنطق اللامُ قبل الحرف القمري: القَمَر.", "dir": "rtl"},
	],
	"Question": [
		{
			"question": "Which is the derivative of \\(x^2\\)?",
			"kind": "one",
			"choices": ["\\(x\\)", "\\(2x\\)", "\\(\\frac{x^3}{3}\\)"],
			"answer": "\\(2x\\)",
			"hint": "<p>The exponent comes to the front.</p>",
			"explanation": "<p>\\[\\frac{d}{dx} x^n = n x^{n-1}\\]</p>",
			"shuffle": True,
		},
		{
			"question": "Which of these are prime?",
			"kind": "several",
			"choices": ["2", "9", "11"],
			"answer": ["2", "11"],
		},
		{
			"question": "الشمس نجم.",
			"kind": "true_false",
			"choices": ["صحيح", "خطأ"],
			"answer": "صحيح",
		},
		{
			"question": "What is the capital of Egypt called?",
			"kind": "short",
			"answer": ["Cairo", "القاهرة"],
		},
		{
			"question": "How fast does a stone fall after one second?",
			"kind": "number",
			"answer": "9.81",
			"tolerance": 0.05,
			"unit": "m/s",
		},
	],
	"Interactive": [
		{
			"instructions": "<p>Make <code>solve</code> return x of <code>a·x + b = c</code>.</p>",
			"files": [
				{"name": "solve.py", "content": "def solve(a, b, c):\n    return 0\n", "language": "python"}
			],
			"tests": [{"text": "solve(3, 1, 10) is 3", "code": "assert solve(3, 1, 10) == 3"}],
		},
		{"instructions": "<p>Print the first ten squares.</p>", "starter": "print(1)", "language": "python"},
	],
}

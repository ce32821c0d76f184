"""Cost against plan size as a PNG: plot.py FILE, the curve's points as JSON on standard input."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main(picture: str) -> None:
	points = json.load(sys.stdin)
	lessons = [point["lessons"] for point in points]
	figure, axes = plt.subplots(figsize=(8, 4.5), dpi=120)
	for key, label, style in (
		("full", "full rebuild", "o-"),
		("floor", "its floor: bare read and serialisation", "o:"),
		("edit", "one lesson's body edited", "s-"),
	):
		axes.plot(lessons, [point[key] for point in points], style, label=label)
	axes.set(xscale="log", yscale="log", xlabel="lessons in the plan (200 a subject)", ylabel="seconds")
	axes.set_title("Cost against plan size, uploads replaced by nothing")
	axes.grid(True, which="both", alpha=0.3)
	axes.legend()
	figure.tight_layout()
	figure.savefig(picture)


if __name__ == "__main__":
	main(sys.argv[1])

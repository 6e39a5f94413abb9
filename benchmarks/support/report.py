# SPDX-License-Identifier: Apache-2.0
"""Turns what `scripts/bench.sh --json FIGURES` left into what docs/performance.md shows:

    python3 benchmarks/support/report.py FIGURES docs

writes docs/performance-latency.svg and docs/performance-peers.svg, and the tables of docs/performance.md: each goes between
its <!-- table: NAME --> and the next <!-- end -->. Tables whose figures are not there stay as they are.
"""

import json
import math
import pathlib
import re
import sys

BLUE, GREY, INK = "#1f5fa8", "#8a8f98", "#22262b"


class Drawing:
    """An SVG of so many units, on white, so that it can be read on any page."""

    def __init__(self, width, height, title):
        self.size = width, height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12" fill="{INK}" role="img">',
            f"<title>{title}</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        ]

    def text(self, x, y, what, anchor="start", size=12, colour=INK, turn=None, bold=False):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        weight = ' font-weight="bold"' if bold else ""
        what = str(what).replace("&", "&amp;").replace("<", "&lt;")
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{weight}{turned}>{what}</text>')

    def line(self, x1, y1, x2, y2, colour=GREY, width=1.0):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>')

    def path(self, points, colour, dashes=None):
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in points]

    def bar(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.8):.1f}" height="{height:.1f}" fill="{colour}"/>')

    def save(self, file):
        file.write_text("\n".join([*self.parts, "</svg>"]) + "\n")


def latency_plot(figures, file):
    """Quantiles against the offered rate, on a logarithmic scale, each line named at its end."""
    rows = figures["rows"]
    width, height, left, right, top, bottom = 760, 440, 66, 120, 46, 52
    drawing = Drawing(width, height, "Latency at a given rate, futon and the raw Asio floor")
    drawing.text(left, 24, "Latency from when a call was due, against the rate of calls (open loop)", size=14, bold=True)
    values = [row[side][f"{q}_us"]["median"] for row in rows for side in ("floor", "futon") for q in ("p50", "p99", "p999")]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 0.02)
    most = rows[-1]["calls_per_second"] * 1.06

    def x(rate):
        return left + (width - left - right) * rate / most

    def y(us):
        return height - bottom - (height - top - bottom) * (math.log10(us) - low) / (high - low)

    for power in range(low, high + 1):
        for step in range(1, 10):
            us = 10.0**power * step
            if math.log10(us) <= high:
                drawing.line(left, y(us), width - right, y(us), "#d5d8dc" if step == 1 else "#f0f1f3")
        label = f"{10.0**power:g} µs" if power < 3 else f"{10.0 ** (power - 3):g} ms"
        drawing.text(left - 6, y(10.0**power) + 4, label, "end")
    for row in rows:
        rate = row["calls_per_second"]
        drawing.line(x(rate), height - bottom, x(rate), height - bottom + 4)
        drawing.text(x(rate), height - bottom + 17, f"{rate / 1e3:.0f}k", "middle", 11)
    drawing.text((left + width - right) / 2, height - 10, "calls per second, 10 % to 90 % of what futon does with 512 in flight", "middle")
    ends = []
    for side, colour in (("floor", GREY), ("futon", BLUE)):
        for quantile, dashes, label in (("p50", None, "p50"), ("p99", "7 3", "p99"), ("p999", "2 3", "p99.9")):
            points = [(x(row["calls_per_second"]), y(row[side][f"{quantile}_us"]["median"])) for row in rows]
            drawing.path(points, colour, dashes)
            ends.append([points[-1][1] + 4, f"{side} {label}", colour])
    ends.sort()
    for before, after in zip(ends, ends[1:]):
        after[0] = max(after[0], before[0] + 14)
    for at, label, colour in ends:
        drawing.text(width - right + 8, at, label, colour=colour)
    drawing.save(file)


def peers_plot(settings, file):
    """For each setting the calls per second as a part of the floor's, one bar a framework."""
    wanted = ["ping-pong, one core", "64 in flight, one core", "ping-pong, a core a side", "64 in flight, a core a side"]
    settings = [each for name in wanted for each in settings if each["name"] == name]
    count = len(settings[0]["peers"])
    width, panel = 760, 34 + 22 * count
    height = 40 + panel * ((len(settings) + 1) // 2) + 6
    drawing = Drawing(width, height, "Calls per second of futon and other frameworks, as a part of the raw Asio floor's")
    drawing.text(12, 24, "Calls per second as a part of the raw Asio floor's in the same run (echo of 128 bytes)", size=14, bold=True)
    for index, setting in enumerate(settings):
        left = 12 + (index % 2) * width / 2
        top = 40 + (index // 2) * panel
        drawing.text(left, top + 16, setting["name"], bold=True)
        names, scale = 88, width / 2 - 88 - 80
        for row, peer in enumerate(setting["peers"]):
            y = top + 26 + 22 * row
            ratio = peer["calls_ratio"]["median"]
            drawing.text(left + names - 6, y + 13, peer["name"], "end")
            drawing.bar(left + names, y, scale * min(ratio, 1.1), 17, BLUE if peer["name"] == "futon" else GREY)
            drawing.text(left + names + scale * min(ratio, 1.1) + 5, y + 13, f"{ratio:.3f}", size=11)
    drawing.save(file)


def span(value, digits=2):
    return f"{value['median']:.{digits}f} ({value['low']:.{digits}f}..{value['high']:.{digits}f})"


def table(*rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in (rows[0], ["---"] * len(rows[0]), *rows[1:])) + "\n"


def call_table(figures):
    lines = [["", "base, calls/s", "futon, calls/s", "ratio", "CPU us per call, client + server", "ratio of CPU", "allocations", "system calls"]]
    for row in figures["rows"]:
        client, server = row["client_per_call"], row["server_per_call"]
        counts = [f"{client[what]:.2f} + {server[what]:.2f}" for what in ("allocations", "system_calls")]
        times = [""] * 5
        if "calls_ratio" in row:
            times = [f"{row['base_calls_per_second']['median']:.0f}", f"{row['calls_per_second']['median']:.0f}", span(row["calls_ratio"], 3),
                     f"{row['client_cpu_us_per_call']['median']:.3f} + {row['server_cpu_us_per_call']['median']:.3f}", span(row["cpu_ratio"])]
        lines.append([row["name"], *times, *counts])
    return table(*lines)


def target_table(targets):
    lines = [["", "figure", "target", ""]]
    for each in targets:
        bound = f">= {each['at_least']:g}" if "at_least" in each else f"<= {each['at_most']:g}"
        measured = each["measured"]
        shown = f"{measured['median']:.3f}" if measured["low"] == measured["high"] else span(measured, 3)
        lines.append([each["name"], shown, bound, each["verdict"]])
    return table(*lines)


def latency_table(figures):
    lines = [["of peak", "calls/s", "floor p50", "p99", "p99.9", "futon p50", "p99", "p99.9"]]
    for row in figures["rows"]:
        quantiles = [f"{row[side][f'{q}_us']['median']:.0f}" for side in ("floor", "futon") for q in ("p50", "p99", "p999")]
        lines.append([f"{row['percent_of_peak']:g} %", f"{row['calls_per_second']:.0f}", *quantiles])
    return table(*lines)


def connection_table(figures):
    lines = [["connections x in flight", "I/O threads", "floor, calls/s", "futon, calls/s", "ratio", "futon, CPU us, client + server", "floor, CPU us", "system calls, server"]]
    for row in figures["rows"]:
        cpu = [f"{row[base + 'client_cpu_us_per_call']['median']:.2f} + {row[base + 'server_cpu_us_per_call']['median']:.2f}" for base in ("", "base_")]
        lines.append([f"{row['connections']:g} x {row['in_flight']:g}", f"{row['io_threads']:g}", f"{row['base_calls_per_second']['median']:.0f}",
                      f"{row['calls_per_second']['median']:.0f}", span(row["calls_ratio"]), *cpu, f"{row['server_system_calls_per_call']:.3f}"])
    return table(*lines)


def peer_tables(settings):
    tables = []
    for setting in settings:
        lines = [[setting["name"], "calls/s", "ratio to the floor's", "CPU us per call, client + server", "ratio of CPU", "allocations", "system calls"]]
        for peer in setting["peers"]:
            lines.append([peer["name"], f"{peer['calls_per_second']['median']:.0f}", span(peer["calls_ratio"], 3),
                          f"{peer['client_cpu_us_per_call']['median']:.2f} + {peer['server_cpu_us_per_call']['median']:.2f}", span(peer["cpu_ratio"]),
                          f"{peer['client_allocations']:.1f} + {peer['server_allocations']:.1f}",
                          f"{peer['client_system_calls']:.2f} + {peer['server_system_calls']:.2f}"])
        tables.append(table(*lines))
    return "\n".join(tables)


def instruction_table(figures):
    lines = [["ending", "instructions", "to the callback's"]]
    for row in figures["rows"]:
        lines.append([row["name"], f"{row['instructions']:.0f}", f"{row['ratio']:.2f}"])
    return table(*lines)


def async_table(figures):
    rows = {row["name"]: row for row in figures["rows"]}
    own = rows["a callback through the executor"]["nanoseconds"]["median"]
    posted = rows["a callback through asio::post"]["nanoseconds"]["median"]
    lines = [["", "ns", "to the executor's", "to `asio::post`'s", "allocations"]]
    for name, row in rows.items():
        took = row["nanoseconds"]["median"]
        lines.append([name, f"{took:.1f}", f"{took / own:.2f}", f"{took / posted:.2f}", f"{row['allocations']:.2f}"])
    for name, key in (("each further stage", "nanoseconds_per_further_stage"), ("each further callback", "nanoseconds_per_further_callback")):
        took = figures[key]
        lines.append([name, f"{took:.1f}", f"{took / own:.2f}", f"{took / posted:.2f}", ""])
    return table(*lines)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    figures, docs = map(pathlib.Path, sys.argv[1:])
    found = {each.stem.removeprefix("benchmark_"): json.loads(each.read_text()) for each in figures.glob("*.json")}
    # What peers were measured outside of this project comes as peers_NAME.json.
    settings = found.get("peers", {}).get("settings", [])
    for name, other in found.items():
        if name.startswith("peers_") and settings:
            for mine, theirs in zip(settings, other["settings"]):
                mine["peers"] += [each for each in theirs["peers"] if each["name"] != "futon"]
    tables = {}
    targets = [target for name in ("call", "instructions", "connections") for target in found.get(name, {}).get("targets", [])]
    if targets:
        tables["targets"] = target_table(targets)
    for name, show in (("call", call_table), ("instructions", instruction_table), ("latency", latency_table), ("connections", connection_table), ("async", async_table)):
        if name in found:
            tables[name] = show(found[name])
    if settings:
        tables["peers"] = peer_tables(settings)
        peers_plot(settings, docs / "performance-peers.svg")
    if "latency" in found:
        latency_plot(found["latency"], docs / "performance-latency.svg")
        print(f"peak of the latency plot: {found['latency']['peak_calls_per_second']:.0f} calls/s")
    if "connections" in found:
        figures = found["connections"]
        print(f"{figures['kib_per_idle_connection']:.2f} KiB per idle connection, {figures['kib_per_connection_in_use']:.2f} in use; "
              f"an increment by two threads: {figures['ns_per_own_increment']:.1f} ns, shared {figures['ns_per_shared_increment']:.1f} ns")
    page = docs / "performance.md"
    text = page.read_text()
    for name, rows in tables.items():
        text, count = re.subn(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", lambda m: m[1] + rows + m[2], text, flags=re.S)
        if count != 1:
            sys.exit(f"{page} has no place for the table {name}")
    page.write_text(text)


main()

"""Graphviz in a process of its own, which can be stopped: DOT on standard input, the result on standard output."""

import sys

import pygraphviz

if __name__ == "__main__":
    engine, format = sys.argv[1:]
    source = sys.stdin.buffer.read().decode("utf-8")
    sys.stdout.buffer.write(pygraphviz.AGraph(string=source).draw(format=format, prog=engine))

"""The functions of Python's standard library as sequences of tokens, with the tags of their names."""

import ast
import io
import tokenize
from collections import namedtuple

import numpy as np

from skrnn.datasets import load_stdlib_text

Function = namedtuple("Function", ["module", "tokens", "tags"])
_LITERALS = {tokenize.NUMBER: "0", tokenize.STRING: '""'}
_SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT}


def read_functions(longest=80):
    """Every function of 10 to `longest` tokens: its module, its tokens, and a tag for each of them.

    A literal is one token, 0 or "". Tags are of names and of dotted chains of names, as spans in BIO: what is called,
    read or written, parameters, names of arguments, and the function's own name.
    """
    functions = []
    texts = load_stdlib_text()
    for name, text in zip(texts.module_names, texts.data, strict=True):
        try:
            tree, tokens = ast.parse(text), list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (SyntaxError, tokenize.TokenError):
            continue
        line_of, lines = np.array([token.start[0] for token in tokens]), text.splitlines()
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            first, last = np.searchsorted(line_of, [node.lineno, node.end_lineno + 1])
            inside = [token for token in tokens[first:last] if token.type not in _SKIPPED]
            if 10 <= len(inside) <= longest:
                spans = spans_of(node, lines)
                functions.append(Function(name.removesuffix(".py"), *_tagged(inside, spans)))
    return functions


def spans_of(function, lines):
    """(first, last, kind) of each span: positions (line, column), as tokens have them."""
    called = {id(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    spans, inner = [], set()
    for node in ast.walk(function):  # outer chains come before what is in them
        if isinstance(node, ast.Attribute) and not _is_chain(node):
            continue
        if isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in inner:
            inner |= {id(part) for part in ast.walk(node)}
            is_read = isinstance(node.ctx, ast.Load)
            kind = "call" if id(node) in called else "read" if is_read else "write"
            spans.append((_place(node.lineno, node.col_offset, lines), _end(node, lines), kind))
        elif isinstance(node, ast.arg):
            first = _place(node.lineno, node.col_offset, lines)
            spans.append((first, (first[0], first[1] + len(node.arg)), "parameter"))
        elif isinstance(node, ast.keyword) and node.arg:
            first = _place(node.lineno, node.col_offset, lines)
            spans.append((first, (first[0], first[1] + len(node.arg)), "argument"))
    return spans


def _is_chain(node):
    """Whether an expression is names with dots between them."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _place(line, column, lines):
    """Line and column in characters, from one in bytes."""
    return line, len(lines[line - 1].encode()[:column].decode())


def _end(node, lines):
    return _place(node.end_lineno, node.end_col_offset, lines)


def _tagged(tokens, spans):
    """Tokens as text, and their tags."""
    begins, tags = {first: (last, kind) for first, last, kind in spans}, []
    until, kind = (0, 0), None
    for k, token in enumerate(tokens):
        if token.start in begins:
            until, kind = begins[token.start]
            tags.append(f"B-{kind}")
        elif token.start < until:
            tags.append(f"I-{kind}")
        else:
            tags.append("B-name" if k and tokens[k - 1].string == "def" else "O")
    words = [_LITERALS.get(token.type, token.string.strip() or "NEWLINE") for token in tokens]
    return words, tags

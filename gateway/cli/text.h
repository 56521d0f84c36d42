/*
 * text.h - strings from elsewhere on a terminal: their width in columns, and nothing that moves the
 * cursor.
 */
#ifndef SEKISHO_CLI_TEXT_H
#define SEKISHO_CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Columns that text_put takes; East Asian wide characters take two. */
size_t text_width(const char *text);

/* Writes text, with '?' for what cannot be shown, and spaces up to width columns. */
void text_put(FILE *out, const char *text, size_t width);

/* The same over several lines: line feeds stay. */
void text_put_lines(FILE *out, const char *text);

#endif

/*
 * qr.h - a QR code in the terminal, two modules per character.
 */
#ifndef SEKISHO_CLI_QR_H
#define SEKISHO_CLI_QR_H

#include <stdbool.h>
#include <stdio.h>

/* False when the text does not fit a QR code. */
bool qr_print(FILE *out, const char *text);

#endif

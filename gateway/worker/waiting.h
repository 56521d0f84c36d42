/*
 * waiting.h - fcntl(2) as the libraries of the worker find it: changing whether a descriptor waits,
 * and nothing else of its flags.
 *
 * FreeRDP and libvncclient do that by F_SETFL, with which whoever breaks in could turn appending to
 * the recording off, so the sandbox refuses it (base/sandbox.h, "append-only"). This program's
 * fcntl takes precedence over the C library's and makes ioctl(FIONBIO) of it.
 */
#ifndef SEKISHO_WORKER_WAITING_H
#define SEKISHO_WORKER_WAITING_H

#include <stdbool.h>

/* Whether it does. */
bool waiting_works(void);

#endif

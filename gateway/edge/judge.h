/*
 * judge.h - what a request's header says it is: refused, a file, an own answer or a question to the
 * broker. Nothing is sent here.
 */
#ifndef SEKISHO_EDGE_JUDGE_H
#define SEKISHO_EDGE_JUDGE_H

#include "edge/connection.h"

/*
 * Fills a fresh exchange: method, expected body, and either refusal (with field, status, close …)
 * or route with params and token, file, or a body in response.own. path has len bytes and a NUL.
 */
void judge_request(struct connection *connection, const char *path, size_t len);

#endif

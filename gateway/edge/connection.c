#include "edge/connection.h"

#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "certs/identity.h"
#include "edge/websocket.h"

enum { CONNECTION_MAGIC = 0x53654b43 };

struct connection *connection_of(struct lws *wsi)
{
	struct connection *connection = lws_get_opaque_user_data(wsi);

	if (!connection || connection->magic != CONNECTION_MAGIC)
		return NULL;
	return connection;
}

enum err connection_new(struct listener *listener, struct limits_address *address,
			const char *address_text, struct connection **ret)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct edge *edge = listener->edge;

	if (!connection)
		return ERR_NOMEM;
	connection->magic = CONNECTION_MAGIC;
	connection->edge = edge;
	connection->listener = listener;
	connection->address = address;
	snprintf(connection->address_text, sizeof(connection->address_text), "%s", address_text);
	connection->stream.fd = -1;
	buf_init(&connection->exchange.body, API_RECORD_MAX);
	buf_init(&connection->stream.message, EDGE_VIEWER_MAX);
	response_init(&connection->exchange.response);
	connection->next = edge->connections;
	if (edge->connections)
		edge->connections->previous = connection;
	edge->connections = connection;
	*ret = connection;
	return OK;
}

void connection_uncount(struct connection *connection)
{
	if (connection->address)
		limits_disconnect(connection->listener->limits, connection->address);
	connection->address = NULL;
}

void connection_free(struct connection *connection)
{
	struct edge *edge = connection->edge;

	broker_cancel(&connection->exchange.request);
	websocket_finish(connection);
	buf_wipe(&connection->exchange.body);
	buf_finish(&connection->exchange.body);
	response_finish(&connection->exchange.response);
	connection_uncount(connection);
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		edge->connections = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	secret_wipe(connection, sizeof(*connection));
	free(connection);
}

enum err connection_device(struct connection *connection, uint8_t ret_device[WIRE_DEVICE_ID])
{
	SSL *ssl = lws_get_ssl(lws_get_network_wsi(connection->wsi));

	return ssl ? identity_of_peer(ssl, ret_device) : ERR_AUTH;
}

void connection_header(struct connection *connection, enum lws_token_indexes token, char *text,
		       size_t room)
{
	int len;

	text[0] = 0;
	if (lws_hdr_total_length(connection->wsi, token) <= 0)
		return;
	len = lws_hdr_copy(connection->wsi, text, (int)room, token);
	if (len < 0 || strlen(text) != (size_t)len)
		snprintf(text, room, "?");
}

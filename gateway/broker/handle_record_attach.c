/*
 * handle_record_attach.c - the browser's end of a document's stream.
 */
#include "base/log.h"
#include "broker/documents.h"
#include "broker/handlers.h"

/* Its order is in the audit log, and so will be its end: a number that fits nothing of the login is
 * not. */
enum err handle_record_attach(struct request *request)
{
	int fd;
	enum err err = documents_take(request, request->msg->record_attach.stream, &fd);

	if (err) {
		log_info("document-stream-refused", "user=%s error=%s", request->account.name,
			 err_code(err));
		return err;
	}
	reply_fd(request->broker, &request->to, json_object(), fd);
	return OK;
}

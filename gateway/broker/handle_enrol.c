/*
 * handle_enrol.c - what the enrolment's page asks with a code, and the portal's renewal.
 */
#include "broker/enrol_job.h"
#include "broker/handlers.h"

/* Says how it stands, whatever the state is. */
enum err handle_enrol_look(struct request *request)
{
	struct invite invite;
	enum err err = enrol_find(request, request->msg->enrol_look.code, &invite);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	reply_json(request->broker, &request->to, 200, "",
		   enrol_json(request->broker, &invite, request->now_s));
	return OK;
}

enum err handle_enrol_request(struct request *request)
{
	const struct msg_enrol_request *msg = &request->msg->enrol_request;
	const struct enrol_wish wish = {
		.code = msg->code,
		.csr = msg->csr,
		.place = (enum key_place)msg->key_place,
	};

	/* KEY_PKCS12 is for the keys that we make. */
	if (!msg->csr.len || msg->key_place > KEY_FILE) {
		reply_error_field(request->broker, &request->to, ERR_INVALID,
				  msg->csr.len ? "key_place" : "csr");
		return OK;
	}
	return enrol_begin(request, &wish);
}

enum err handle_enrol_file(struct request *request)
{
	const struct msg_enrol_file *msg = &request->msg->enrol_file;
	const struct enrol_wish wish = { .code = msg->code, .compatible = msg->compatible };

	return enrol_begin(request, &wish);
}

enum err handle_device_renew(struct request *request)
{
	const struct enrol_wish wish = { .place = KEY_PKCS12,
					 .compatible = request->msg->device_renew.compatible };

	return renew_begin(request, &wish);
}

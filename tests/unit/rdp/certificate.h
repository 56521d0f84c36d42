/* A certificate of an office PC and what `openssl x509 -fingerprint -sha256` says of it. */
#ifndef SEKISHO_TESTS_RDP_CERTIFICATE_H
#define SEKISHO_TESTS_RDP_CERTIFICATE_H

static const char certificate_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBfzCCASWgAwIBAgIUe683ANIwJfKZjfKS2E2l5+whM08wCgYIKoZIzj0EAwIw\n"
	"FDESMBAGA1UEAwwJb2ZmaWNlLXBjMCAXDTI2MTEyMTIwNTMxOVoYDzIxMjYxMDI4\n"
	"MjA1MzE5WjAUMRIwEAYDVQQDDAlvZmZpY2UtcGMwWTATBgcqhkjOPQIBBggqhkjO\n"
	"PQMBBwNCAATn6AWTBwd8ZJ6QW3wO0BA4yThsXZ3RoLYlPyM+BA8FsAW+25xOUJB1\n"
	"RLWbJe3PriPfFNNYNietnKkVOM7LyyXfo1MwUTAdBgNVHQ4EFgQU58BxY9mWbw/X\n"
	"2FclpiwVAVsq1ZUwHwYDVR0jBBgwFoAU58BxY9mWbw/X2FclpiwVAVsq1ZUwDwYD\n"
	"VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBdwawCMh9cyC7jJIeaHVj8\n"
	"hg31nrggG/vpqeThPPUA2AIhAIWWwRu93QaN4zk1nXnJfZKZlEJHU+H/+Ve8YLdF\n"
	"c/yf\n"
	"-----END CERTIFICATE-----\n";
static const char certificate_sha256[] =
	"b7b923b9037cfd72a121685a6d89dd3f467097d70bd8be3be308f0ca66eebd50";

#endif

/*
 * bytes.h - little-endian integers in a recording's bytes, which need not be aligned.
 */
#ifndef SEKISHO_RECORD_BYTES_H
#define SEKISHO_RECORD_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTES_OF(bits)                                                                             \
	static inline void put_u##bits(uint8_t *at, uint##bits##_t value)                          \
	{                                                                                          \
		value = htole##bits(value);                                                        \
		memcpy(at, &value, sizeof(value));                                                 \
	}                                                                                          \
	static inline uint##bits##_t get_u##bits(const uint8_t *at)                                \
	{                                                                                          \
		uint##bits##_t value;                                                              \
		memcpy(&value, at, sizeof(value));                                                 \
		return le##bits##toh(value);                                                       \
	}

BYTES_OF(16)
BYTES_OF(32)
BYTES_OF(64)
#undef BYTES_OF

#endif

/* See zstd.h. The number is zstd's own and never changes. */
#ifndef TASKWIRE_ZSTD_ERRORS_H
#define TASKWIRE_ZSTD_ERRORS_H
#include <stddef.h>
typedef enum { ZSTD_error_dstSize_tooSmall = 70 } ZSTD_ErrorCode;
ZSTD_ErrorCode ZSTD_getErrorCode(size_t functionResult);
#endif

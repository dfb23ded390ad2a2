/** Reply codes that this side sends or distinguishes. */
export const REPLY_SUCCESS = 200;
export const ACCESS_REFUSED = 403;
export const NOT_FOUND = 404;
export const PRECONDITION_FAILED = 406;
export const FRAME_ERROR = 501;
export const SYNTAX_ERROR = 502;
export const COMMAND_INVALID = 503;
export const CHANNEL_ERROR = 504;
export const UNEXPECTED_FRAME = 505;
export const NOT_IMPLEMENTED = 540;
export const INTERNAL_ERROR = 541;

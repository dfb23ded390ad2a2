/** How to add the driver that some runtimes lack, as a part of an error. */
export const NEEDS_RABBIT = 'needs the driver: import { rabbit } from "oslo-messaging/rabbit" and pass { drivers: [rabbit] }';

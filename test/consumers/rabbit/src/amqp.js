// A page that calls through AMQP 1.0: the driver of RabbitMQ is not in its bundle.
import { run } from "./page.js";
import { overAmqp } from "./transports.js";

void run(overAmqp, "amqp+ws://h/?idle_timeout=soon");

// A page that calls through RabbitMQ.
import { run } from "./page.js";
import { overRabbit } from "./transports.js";

void run(overRabbit, "rabbit+ws://h/?rabbit_ha_queues=true&rabbit_quorum_queue=true");

/** Members of an {@link Amqp091Error}. */
export interface Amqp091ErrorInit {
  /** Reply code, such as 404. */
  code: number;
  /** Reply text. */
  text: string;
  /** Default 0: no method. */
  classId?: number | undefined;
  /** Default 0: no method. */
  methodId?: number | undefined;
}

/**
 * An error of AMQP 0-9-1: the peer closed a channel or the connection with it, or the peer violated the protocol and the
 * connection was closed with it.
 */
export class Amqp091Error extends Error {
  /** Name of the class. It identifies errors where `instanceof` cannot. */
  override readonly name = "Amqp091Error";
  /** Reply code, such as 404. */
  readonly code: number;
  /** Reply text. RabbitMQ begins it with the name of the code: `NOT_FOUND - no queue 'q' in vhost '/'`. */
  readonly text: string;
  /** Class of the method that failed. 0: none. */
  readonly classId: number;
  /** Method that failed, of `classId`. 0: none. */
  readonly methodId: number;

  constructor({ code, text, classId = 0, methodId = 0 }: Amqp091ErrorInit) {
    super(text === "" ? `reply code ${code}` : `${text.replace(/\s*\n\s*/g, " ")} (${code})`);
    this.code = code;
    this.text = text;
    this.classId = classId;
    this.methodId = methodId;
  }
}

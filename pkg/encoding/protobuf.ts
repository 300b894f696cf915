/** One field of a message as it goes over the wire. */
export interface WireField {
  readonly number: number;
  /** Of a varint the number, in 64 bits with sign; of anything else undefined. */
  readonly varint: bigint | undefined;
  /** Of what has a length its bytes; of anything else undefined. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * The fields of a protobuf message in the order in which they come. What has a fixed length is passed over: no message
 * that is read here has any.
 *
 * @throws SyntaxError when the bytes are no message
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function* wireFields(message: Uint8Array): Generator<WireField> {
  let at = 0;
  while (at < message.length) {
    const tag = varint(message, at);
    at = tag.next;
    const number = Number(tag.value >> 3n);
    const type = Number(tag.value & 7n);
    if (number < 1) throw new SyntaxError(`proto: illegal tag ${number} (wire type ${type})`);
    switch (type) {
      case 0: {
        const { value, next } = varint(message, at);
        at = next;
        yield { number, varint: BigInt.asIntN(64, value), bytes: undefined };
        break;
      }
      case 2: {
        const { value: length, next } = varint(message, at);
        at = next + Number(length);
        if (at > message.length) throw new SyntaxError("unexpected EOF");
        yield { number, varint: undefined, bytes: message.subarray(next, at) };
        break;
      }
      case 1:
      case 5:
        at += type === 1 ? 8 : 4;
        if (at > message.length) throw new SyntaxError("unexpected EOF");
        break;
      default:
        throw new SyntaxError(`proto: illegal wireType ${type}`);
    }
  }
}

function varint(message: Uint8Array, from: number): { value: bigint; next: number } {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = message[from + i];
    if (byte === undefined) throw new SyntaxError("unexpected EOF");
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: from + i + 1 };
  }
  throw new SyntaxError("proto: integer overflow");
}

/** CEL's uint: 64 bits without a sign. (An int is a bigint, a double a number.) */
export class Uint {
  readonly typeName = "uint";
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

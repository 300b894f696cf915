/**
 * An amount of US dollars for people: cents, and what is less than one of them, to a ten-thousandth, only where there is
 * any. So an amount that is not nothing is not shown as nothing, nor a limit as another than was declared.
 */
export function dollars(usd: number): string {
  return usd.toFixed(4).replace(/0{1,2}$/, "");
}

/**
 * An amount of US dollars for people: cents, and what is less than one of them, to a ten-thousandth, only where there is
 * any. So an amount that is not nothing is not shown as nothing, nor a limit as another than was declared.
 */
export function dollars(usd: number): string {
  return usd.toFixed(4).replace(/0{1,2}$/, "");
}

/**
 * An amount of US dollars for people in cents, half of one rounded up, by its ten-thousandths: so an exact amount reads as
 * the same does where a status has it to a ten-thousandth, and 0.015 is 0.02 though no binary fraction is as much.
 */
export function cents(usd: number): string {
  const tenThousandths = Math.round(usd * 10_000);
  return (Math.round(tenThousandths / 100) / 100).toFixed(2);
}

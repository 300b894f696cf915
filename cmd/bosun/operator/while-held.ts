/**
 * `part`, none of whose methods begins once the lock is lost, but `subscribe`: listening changes nothing, and who was
 * refused it for a moment, while a Lease was renewed late, would hear nothing for as long as it lives.
 *
 * What an operator was about to do when it was suspended, it does when it wakes: only a look right before can keep it
 * from that. It is the first of two fences; what was under way already is refused where it arrives (docs/ownership.md).
 *
 * @param assertHeld - throws when the lock is lost
 */
export function whileHeld<T extends object>(part: T, assertHeld: () => void): T {
  return new Proxy(part, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (name === "subscribe") return member.bind(target);
      return (...args: unknown[]): unknown => {
        assertHeld();
        return Reflect.apply(member, target, args);
      };
    },
  });
}

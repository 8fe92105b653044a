import type { Session } from './session.ts';

/** The connected devices of this process, by user. */
export class Sessions {
  readonly #byUser = new Map<string, Set<Session>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(session: Session): void {
    const devices = this.#byUser.get(session.userId) ?? new Set();
    this.#byUser.set(session.userId, devices.add(session));
    this.#count++;
  }

  remove(session: Session): void {
    const devices = this.#byUser.get(session.userId);
    if (!devices?.delete(session)) return;
    this.#count--;
    if (devices.size === 0) this.#byUser.delete(session.userId);
  }

  all(): readonly Session[] {
    return [...this.#byUser.values()].flatMap((devices) => [...devices]);
  }

  /** All devices of a user that are connected now. */
  of(userId: string): readonly Session[] {
    return [...(this.#byUser.get(userId) ?? [])];
  }
}

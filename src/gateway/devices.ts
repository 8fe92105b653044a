import type { ServerEvent, ServerPayload } from '../protocol/events.ts';
import type { Call } from './handler.ts';

/** Tells every device of the user, the one that asked included. */
export function tellDevices<E extends ServerEvent>(
  { session, sessions }: Call,
  event: E,
  payload: ServerPayload<E>,
): void {
  for (const device of sessions.of(session.userId)) device.emit(event, payload);
}

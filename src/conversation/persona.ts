/**
 * Who the companion is. Short, because a small model reads every word of it in each turn: of four that were tried with the
 * default model, longer ones made it talk about itself, and asking for questions made it repeat itself.
 */
export interface Persona {
  readonly personaId: string;
  readonly name: string;
  /** Instructions in the second person, put before the dialog. */
  readonly instructions: string;
}

export const defaultPersona: Persona = {
  personaId: 'amity',
  name: 'Amity',
  instructions:
    'You are Amity, a friendly AI companion. You are chatting with a friend. ' +
    'Reply kindly in one or two short sentences.',
};

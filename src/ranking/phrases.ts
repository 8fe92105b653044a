/** Phrases by which a text gives away that it speaks as somebody else than the companion. Every pattern is linear in the text. */

/** Names under which models write the other side's turns, or the frame of a prompt. */
const labels = String.raw`(?:person ?[ab]|user|human|assistant|system|companion|you)`;
const labelled = new RegExp(`(?:^|[\\n\\r\\u2028\\u2029])[ \\t*#>]{0,4}${labels}[ \\t*]{0,4}[:：]`, 'iu');
/** Person A stands nowhere else; other labels occur within sentences. */
const anywhere = /\bperson [ab]:|<\|[a-z_]*|\[\/?inst\]|<\/?s>|<(?:start|end)_of_turn>/iu;

/** Whether it writes another side's turn, or a piece of a template. What has begun so cannot be mended by going on. */
export function speaksForOthers(text: string): boolean {
  return labelled.test(text) || anywhere.test(text);
}

const assistant =
  /\b(?:an?|your) (?:ai|artificial intelligence|(?:large )?language model|chat ?bot|virtual assistant|digital assistant|computer program)\b|\bi (?:do not|don['’]t|can['’]?t|cannot) (?:have|feel|experience) (?:personal|feelings|emotions|human|physical)\b|\bhow (?:can|may) i (?:help|assist) you\b|\bare you (?:an? )?(?:human|robot|bot|machine|real|ai)\b/iu;

/**
 * Whether it speaks of being an assistant or a program, or asks after it. Right when somebody asks, out of place in small talk: a common
 * tic of models that were tuned to follow instructions.
 */
export function speaksAsAssistant(text: string): boolean {
  return assistant.test(text);
}

const clutter =
  /\[[^\]\n]{0,80}\]|\*[^*\n]{1,80}\*|\((?:laughs?|laughing|smiles?|smiling|sighs?|grins?|winks?|nods?|giggles?|chuckles?)\b|(?:^|\s)[#@]\p{L}|https?:|www\.|\n\s{0,4}(?:[-*•]|\d{1,2}[.)])\s|```/iu;

/** Whether it has something that nobody says: a placeholder, a stage direction, a hashtag, a link, a list. */
export function hasClutter(text: string): boolean {
  return clutter.test(text);
}

/** Phrases by which a text gives away that it speaks as somebody else than the companion. Every pattern is linear in the text. */

/** Names under which models write the other side's turns, or the frame of a prompt. */
const labels = '(?:person ?[ab]|user|human|assistant|system|companion|you)';
const labelled = new RegExp(`(?:^|[\\n\\r\\u2028\\u2029])[ \\t*#>]{0,4}${labels}[ \\t*]{0,4}[:：]`, 'iu');
/** Person A stands nowhere else; other labels occur within sentences. */
const anywhere = /\bperson [ab]:|<\|[a-z_]*|\[\/?inst\]|<\/?s>|<(?:start|end)_of_turn>/iu;

/** Whether it writes another side's turn, or a piece of a template. What has begun so cannot be mended by going on. */
export function speaksForOthers(text: string): boolean {
  return labelled.test(text) || anywhere.test(text);
}

const assistant = anyOf([
  String.raw`\b(?:an?|your) (?:ai|artificial intelligence|(?:large )?language model|computer program)\b`,
  String.raw`\b(?:an?|your) (?:chat ?bot|(?:virtual|digital) assistant)\b`,
  String.raw`\bi (?:do not|don['’]t|can['’]?t|cannot) (?:have|feel|experience) (?:personal|feelings|emotions|human|physical)\b`,
  String.raw`\bhow (?:can|may) i (?:help|assist) you\b`,
  String.raw`\bare you (?:an? )?(?:human|robot|bot|machine|real|ai)\b`,
]);

/**
 * Whether it speaks of being an assistant or a program, or asks after it. Right when somebody asks, out of place in small talk: a common
 * tic of models that were tuned to follow instructions.
 */
export function speaksAsAssistant(text: string): boolean {
  return assistant.test(text);
}

const clutter = anyOf([
  // [insert name here], *smiles*, (laughs)
  String.raw`\[[^\]\n]{0,80}\]`,
  String.raw`\*[^*\n]{1,80}\*`,
  String.raw`\((?:laugh|smil|sigh|grin|wink|nod|giggl|chuckl)(?:s|es|ing|e)?\b`,
  // Hashtags and handles, links, lists, code.
  String.raw`(?:^|\s)[#@]\p{L}`,
  String.raw`https?:|www\.`,
  String.raw`\n\s{0,4}(?:[-*•]|\d{1,2}[.)])\s`,
  '```',
]);

/** Whether it has something that nobody says: a placeholder, a stage direction, a hashtag, a link, a list. */
export function hasClutter(text: string): boolean {
  return clutter.test(text);
}

function anyOf(patterns: readonly string[]): RegExp {
  return new RegExp(patterns.join('|'), 'iu');
}

/** docs/candidates.md: what ten candidates look like, all of them, unedited. */
import type { RacePlan } from '../../src/engine/request.ts';
import { createJudge } from '../../src/ranking/judge.ts';
import { finalScores } from './evaluate.ts';
import type { Recording } from './record.ts';
import { replayRace } from './replay.ts';

/** Turns of the context that are printed. */
const turnsShown = 3;

export function renderCandidatesPage(
  recordings: readonly Recording[],
  plan: RacePlan,
  command: string,
): string {
  return [
    '# Ten candidates',
    '',
    `Made by \`${command}\`; nothing is edited. The contexts are real dialogs (valid splits), the candidates those of the default model`,
    'with default settings, each written to its end. **best** has the highest rank score of the whole texts, **shown** is what the race',
    'committed, after ' +
      `${plan.commitTokens} tokens; **alternative** is its runner-up. A filtered candidate is never shown.`,
    '',
    ...recordings.flatMap((recording, place) => renderOne(recording, place + 1, plan)),
  ].join('\n');
}

function renderOne(recording: Recording, number: number, plan: RacePlan): string[] {
  const { context, candidates } = recording;
  const finals = finalScores(recording);
  const race = replayRace(recording, plan, createJudge(recording.rank));
  const byScore = [...candidates].sort((a, b) => finals.get(b.index)!.score - finals.get(a.index)!.score);
  const best = byScore.find(({ index }) => !finals.get(index)!.isFiltered)?.index;
  const rows = byScore.map(({ index, text, tokens }) => {
    const { score, filterReason } = finals.get(index)!;
    const marks = [
      index === best ? '**best**' : '',
      index === race.chosen ? '**shown**' : '',
      index === race.runnerUp ? 'alternative' : '',
      filterReason === null ? '' : `filtered: ${filterReason}`,
    ];
    const mark = marks.filter((one) => one !== '').join(', ');
    return `| ${score.toFixed(2)} | ${mark} | ${tokens} | ${inCell(text)} |`;
  });
  const turns = context.turns
    .slice(-turnsShown)
    .map(({ role, text }) => `> ${role === 'user' ? '**User:**' : 'Companion:'} ${inCell(text)}`);
  return [
    `## ${number}. ${context.source}`,
    '',
    turns.join('\n>\n'),
    '',
    '| score | | tokens | candidate |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ];
}

/** A text in one line of a Markdown table, nothing of it read as Markdown or HTML. */
function inCell(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>|#~]/g, (character) => `\\${character}`)
    .replace(/\s*\n\s*/g, ' ⏎ ')
    .trim();
}

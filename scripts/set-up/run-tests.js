import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { runChecks } from '../check.js';
import { ensureBuild, hasBuild } from './build.js';
import { locked } from './lock.js';
import { ensureModel } from './model.js';
import { at } from './root.js';
import { runShown, tools } from './run-tool.js';
import { SetUpError, say } from './say.js';

const reportPath = at('test/.cache/vitest.json');

/**
 * The checks, the build, the model, then every test. All of it runs even when a part fails: the last line counts them.
 *
 * @param args go to vitest (`npm test -- test/unit`); the last line then counts only what they select.
 * @returns the exit code.
 */
export async function runTests(args) {
  const failedChecks = await runChecks();
  const built = await buildForTests();
  // Tests that need the model ask for it themselves, and skip aloud or fail (test/support/require-or-skip.ts).
  if (built) await ensureModel();
  const outcome = await runVitest(args);
  const extra = failedChecks + (built ? 0 : 1);
  if (extra > 0) say(`${extra} of the checks before the tests failed: see above`);
  // A test that lacks what it needs says so itself, or fails (test/support/require-or-skip.ts).
  for (const name of outcome.skipped) say(`not run: ${name}`);
  const failed = outcome.failed + extra;
  console.log(`${outcome.passed} passed, ${failed} failed${skippedText(outcome.skipped)}`);
  return failed === 0 ? 0 : 1;
}

/** `.ci/run` promises a last line of two numbers; what was not run is named above it. */
function skippedText(names) {
  const isShort = names.length === 0 || process.env.AMITY_TEST_REQUIRE === 'all';
  return isShort ? '' : `, ${names.length} skipped`;
}

async function buildForTests() {
  try {
    if (!hasBuild()) await locked(ensureBuild);
    return true;
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`${error.detail}\n`);
    say(error.message);
    return false;
  }
}

async function runVitest(args) {
  mkdirSync(at('test/.cache'), { recursive: true });
  rmSync(reportPath, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
  const code = await runShown(tools.vitest, ['run', ...reporters, ...args]);
  return countOutcomes(code);
}

/** A file that cannot be loaded, or an error outside any test, fails without a failed test: it counts as one. */
function countOutcomes(code) {
  let report;
  try {
    report = JSON.parse(readFileSync(reportPath, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(isSkipped).map(({ fullName }) => fullName),
    ),
  };
}

/** Vitest's words for a test that did not run. */
function isSkipped({ status }) {
  return status === 'pending' || status === 'skipped' || status === 'todo' || status === 'disabled';
}

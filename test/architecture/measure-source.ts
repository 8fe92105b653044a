/** Sizes and forbidden constructs of one source file, found in its syntax tree. */
import ts from 'typescript';

const sizeLimits = { linesPerFile: 400, linesPerFunction: 70, parameters: 3 } as const;

interface Options {
  /** Off for tests: a `describe` is one long function. */
  readonly functionLength: boolean;
}

/** Every breach as `path:line what`. */
export function breachesOf(path: string, text: string, options: Options): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const breaches: string[] = [];
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1;
  const report = (node: ts.Node, what: string) => breaches.push(`${path}:${lineOf(node.getStart())} ${what}`);

  const linesOfFile = text.trimEnd().split('\n').length;
  if (linesOfFile > sizeLimits.linesPerFile) breaches.push(`${path}:1 ${linesOfFile} lines in the file`);

  const visit = (node: ts.Node): void => {
    if (isFunction(node)) {
      const lines = lineOf(node.getEnd()) - lineOf(node.getStart()) + 1;
      if (options.functionLength && lines > sizeLimits.linesPerFunction)
        report(node, `${lines} lines in a function`);
      const parameters = node.parameters.filter(({ name }) => name.getText() !== 'this').length;
      if (parameters > sizeLimits.parameters) report(node, `${parameters} parameters`);
    }
    if (ts.isEnumDeclaration(node)) report(node, 'an enum');
    if (ts.isClassLike(node) && parentOf(node) !== undefined && !/Error$/.test(parentOf(node) ?? '')) {
      report(node, `inherits from ${parentOf(node)}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return breaches;
}

/** Functions with a body; overloads and signatures in types are no code. */
function isFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return (
    (ts.isFunctionDeclaration(node) ||
      ts.isFunctionExpression(node) ||
      ts.isArrowFunction(node) ||
      ts.isMethodDeclaration(node) ||
      ts.isConstructorDeclaration(node) ||
      ts.isAccessor(node)) &&
    node.body !== undefined
  );
}

function parentOf(node: ts.ClassLikeDeclaration): string | undefined {
  const clause = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
  return clause?.types[0]?.expression.getText();
}

/** What a pure folder may not reach: the clock, randomness, the process. As `path:line name`. */
export function impuritiesOf(path: string, text: string): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const report = (node: ts.Node, name: string) =>
    found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${name}`);

  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const name = `${node.expression.text}.${node.name.text}`;
      if (impureMembers.has(name) || impureObjects.has(node.expression.text)) report(node, name);
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) {
      report(node, 'new Date()');
    }
    if (ts.isCallExpression(node) && impureCalls.has(node.expression.getText())) {
      report(node, node.expression.getText());
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const impureMembers = new Set(['Date.now', 'Math.random']);
const impureObjects = new Set(['process', 'performance', 'crypto', 'console']);
const impureCalls = new Set(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch']);

/** Runs once before all projects. */
export function setup(): void {}

/** Settings: all problems at once, defaults that follow others, secrets from files. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, type Environment, loadConfig } from '../../../src/config/load.ts';

const load = (env: Environment = {}, directory = mkdtempSync(join(tmpdir(), 'amity-config-'))) =>
  loadConfig(env, directory);

function problemsOf(env: Environment): readonly string[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('has a default for everything, listens on the loopback only in guest mode, and is frozen', () => {
    const config = load();
    expect(config.server).toMatchObject({ port: 3000, host: '127.0.0.1', transports: ['websocket'] });
    expect(config.auth.kind).toBe('guest');
    expect(load({ JWT_SECRET: 'x'.repeat(32) }).server.host).toBe('0.0.0.0');
    expect(Object.isFrozen(config.server)).toBe(true);
  });

  it('puts the models under the data directory unless told otherwise', () => {
    expect(load({ DATA_DIR: '/somewhere' }).modelsDirectory).toBe('/somewhere/models');
    expect(load({ DATA_DIR: '/somewhere', MODELS_DIR: '/models', MODEL: 'mine' }).model.directory).toBe(
      '/models/mine',
    );
  });

  it('names every problem at once', () => {
    const problems = problemsOf({
      PORT: 'http',
      LOG_LEVEL: 'loud',
      AMITY_TOP_P: '1.5',
      AMITY_TEMPRATURE: '1',
      AMITY_NO_SUCH: 'x',
      JWT_SECRET: 'short',
    });
    expect(problems).toHaveLength(6);
    expect(problems.join('\n')).toMatch(/PORT must be a whole number, not "http"/);
    expect(problems.join('\n')).toMatch(
      /AMITY_TEMPRATURE is not a setting of Amity; did you mean AMITY_TEMPERATURE\?/,
    );
  });

  it('warns of a bare name that is one edit away from a known one, and starts', () => {
    expect(load({ PROT: '1', LOG_LEVL: 'info' }).warnings.join('\n')).toMatch(
      /LOG_LEVL is set; did you mean LOG_LEVEL\?/,
    );
  });

  it('refuses two kinds of keys', () => {
    expect(
      problemsOf({ JWT_SECRET: 'x'.repeat(32), JWT_JWKS_URL: 'https://issuer.example/keys' })[0],
    ).toMatch(/exclude each other/);
  });

  it('keeps conversations in MongoDB where there is one, unless it is told otherwise', () => {
    const uri = 'mongodb://localhost';
    expect(load({}).store).toEqual({ kind: 'embedded' });
    expect(load({ MONGODB_URI: uri })).toMatchObject({ store: { kind: 'mongodb', uri }, warnings: [] });
    expect(load({ MONGODB_URI: uri, STORE: 'embedded' })).toMatchObject({
      ...{ store: { kind: 'embedded' }, warnings: [] },
    });
    expect(problemsOf({ STORE: 'mongodb' })[0]).toMatch(/STORE=mongodb needs MONGODB_URI/);
    expect(problemsOf({ MONGODB_URI: 'localhost:27017' })[0]).toMatch(/must begin with mongodb:\/\//);
  });

  it('takes the other names of a setting, with a warning, and its own name before them', () => {
    const uri = 'mongodb://localhost';
    for (const name of ['MONGODB_URL', 'MONGO_URI', 'MONGO_URL'])
      expect(load({ [name]: uri })).toMatchObject({
        ...{ store: { uri }, warnings: [`${name} is set; it is taken for MONGODB_URI, its name here`] },
      });
    expect(load({ MONGO_URI: 'mongodb://other', MONGODB_URI: uri }).store).toMatchObject({ uri });
  });

  it('takes a secret from the file that NAME_FILE names, and an empty variable for an absent one', () => {
    const directory = mkdtempSync(join(tmpdir(), 'amity-config-'));
    writeFileSync(join(directory, 'secret'), `${'s'.repeat(40)}\n`);
    const { auth } = load({ JWT_SECRET_FILE: join(directory, 'secret'), JWT_SECRET: '' });
    expect(auth).toMatchObject({ kind: 'secret', secret: 's'.repeat(40) });
  });

  it('reads .env, over which the environment wins', () => {
    const directory = mkdtempSync(join(tmpdir(), 'amity-config-'));
    writeFileSync(join(directory, '.env'), 'PORT=4000\nAMITY_TOP_K=7\n');
    const config = load({ PORT: '5000' }, directory);
    expect([config.server.port, config.reply.topK]).toEqual([5000, 7]);
  });
});

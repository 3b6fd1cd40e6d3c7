// What the arguments of `npm test -- …` ask for.
import { join } from 'node:path'

const STAGES = ['unit', 'servers', 'lab']
const FLAGS = ['--built', ...STAGES.map((name) => `--${name}`)]

/**
 * No arguments: the whole run. `--unit`, `--servers`, `--lab` choose stages; `--built` takes the build that is there;
 * test files or folders choose files, and with them the stages; the rest goes to mocha as it is.
 * Without any choice everything runs but the lab.
 *
 * @param {readonly string[]} words
 */
export function parseRequest(words) {
  const chosen = STAGES.filter((name) => words.includes(`--${name}`))
  const rest = words.filter((word) => !FLAGS.includes(word))
  const paths = rest.filter((word) => /^(\.\/)?(dist\/)?test\//.test(word))
  const whole = words.length === 0
  return {
    whole,
    build: !words.includes('--built'),
    echo: rest.length > 0,
    stages: chosen.length > 0 ? chosen : whole || paths.length > 0 ? STAGES : ['unit', 'servers'],
    paths,
    mochaArgs: rest.filter((word) => !paths.includes(word)),
  }
}

/** Those of `files` (emitted tests) that one of the paths names, as source, as emitted file or as folder. */
export function choose(files, paths) {
  if (paths.length === 0) return files
  const wanted = paths.map((path) => join('dist', path.replace(/^(\.\/)?(dist\/)?/, '')).replace(/\.ts$/, '.js'))
  return files.filter((file) => wanted.some((one) => file === one || file.startsWith(`${one.replace(/\/$/, '')}/`)))
}

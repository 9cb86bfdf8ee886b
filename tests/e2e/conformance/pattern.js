/** Whether an answer is what was expected. Throws what is wrong with it, with its place; keeps what is to be kept. */
import { isDeepStrictEqual } from 'node:util';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function fits(pattern, value, names, place = '') {
  const wrong = (why) => {
    throw new Error(`${place} ${why}: ${JSON.stringify(value)}`);
  };
  if (value === undefined) {
    if (pattern !== '$absent') wrong('is missing');
  } else if (typeof pattern === 'string' && pattern.startsWith('$')) {
    if (!fitsWord(pattern, value, names)) wrong(`is not ${pattern}`);
  } else if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) wrong(`is no list of ${pattern.length}`);
    pattern.forEach((item, n) => fits(item, value[n], names, `${place}.${n}`));
  } else if (typeof pattern === 'object' && pattern !== null) {
    const [[first, rest] = [''], ...more] = Object.entries(pattern);
    if (first.startsWith('$') && more.length === 0) return fitsList(first, rest, value, names, place, wrong);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong('is no object');
    const extra = Object.keys(value).find((key) => value[key] !== undefined && !(key in pattern));
    if (!('...' in pattern) && extra !== undefined) wrong(`has ${extra}, and should not`);
    for (const [key, inner] of Object.entries(pattern)) {
      if (key !== '...') fits(inner, value[key], names, `${place}.${key}`);
    }
  } else if (!isDeepStrictEqual(pattern, value)) {
    wrong(`is not ${JSON.stringify(pattern)}`);
  }
}

function fitsWord(word, value, names) {
  const [kind, ...rest] = word.split(' ');
  const name = rest.join(' ');
  if (kind === '$any') return true;
  if (kind === '$text') return typeof value === 'string' && value !== '';
  if (kind === '$number') return typeof value === 'number';
  if (kind === '$time') return TIME.test(value);
  if (kind === '$let') return names.set(name, value);
  if (kind === '$not') return names.has(name) && names.get(name) !== value;
  const of = kind === '$is' ? name : word.slice(1);
  return names.has(of) && names.get(of) === value;
}

function fitsList(word, pattern, value, names, place, wrong) {
  if (!Array.isArray(value)) wrong('is no list');
  const does = (item) => {
    try {
      fits(pattern, item, new Map(names));
      return true;
    } catch {
      return false;
    }
  };
  if (word === '$each') value.forEach((item, n) => fits(pattern, item, names, `${place}.${n}`));
  else if (word === '$has') value.some(does) || wrong(`has none that is ${JSON.stringify(pattern)}`);
  else if (word === '$length') value.length === pattern || wrong(`has ${value.length} instead of ${pattern}`);
  else if (word === '$atMost') value.length <= pattern || wrong(`has more than ${pattern}`);
  else throw new Error(`there is no pattern ${word}`);
}

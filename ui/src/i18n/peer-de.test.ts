/** What peers say is known in German, and what is known in German is what peers still say. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { de } from './de';
import { inGerman } from './peer-de';

const crates = fileURLToPath(new URL('../../../crates/', import.meta.url));
/** Where it is said, what stands there of it, the sentence as it comes, and something of the German one. */
const SAID: readonly (readonly [file: string, written: string, said: string, german: RegExp])[] = [
  ['live/src/ticket.rs', 'a ticket begins with', 'a ticket begins with `parlor:` or `parlor://join/`', /beginnt mit/],
  ['live/src/ticket.rs', 'the ticket is damaged: a character of it is missing or wrong', '', /beschädigt/],
  ['live/src/ticket.rs', 'the ticket was made by a newer version of Parlor', '', /neueren Parlor/],
  ['live/src/ticket.rs', 'the ticket contradicts itself', '', /widerspricht/],
  ['live/src/open_rooms.rs', 'this profile knows another private room of that name; forget it first', '', /Vergiss/],
  ['live/src/open_rooms.rs', "the room's key was changed after this ticket was given", '', /Bitte um eine neue/],
  ['live/src/open_rooms.rs', 'you are in another room of that name; leave it first', '', /Verlass/],
  [
    'live/src/profile/mod.rs',
    'changed its key, and you did not get the new one',
    'a host of "plan b" changed its key, and you did not get the new one',
    /von „plan b“ geändert/,
  ],
  [
    'live/src/profile/mod.rs',
    'is lost: join with a ticket, or forget the room',
    'the key of the private room "plan" is lost: join with a ticket, or forget the room',
    /„plan“ ist verloren/,
  ],
  ['net/src/actor/rooms.rs', 'is open here as', '"plan" is open here as a private room', /als privater Raum/],
  [
    'net/src/actor/rooms.rs',
    'an open room or another private one',
    '"plan" is open here as an open room or another private one',
    /als anderer Raum/,
  ],
  ['core/src/access.rs', 'only a host of a private room may do this', '', /nur ein Host/],
  ['core/src/access.rs', 'only who made the room names its hosts', '', /gegründet/],
  [
    'net/src/address.rs',
    'is not an address; give',
    '"x:y" is not an address; give a multiaddr, or ADDRESS:PORT',
    /„x:y“ ist keine Adresse/,
  ],
  [
    'net/src/address.rs',
    'cannot be dialled; give',
    '"/unix/x" cannot be dialled; give a multiaddr, or ADDRESS:PORT',
    /nicht anwählen/,
  ],
  [
    'net/src/address.rs',
    'has port 0; give the port of the peer',
    '"1.2.3.4:0" has port 0; give the port of the peer',
    /Port 0/,
  ],
  [
    'net/src/address.rs',
    'names no computer; give the address of the peer',
    '"0.0.0.0:4" names no computer; give the address of the peer',
    /keinen Computer/,
  ],
  [
    'net/src/actor/dials.rs',
    'addresses are being dialled already; wait for one of them',
    '8 addresses are being dialled already; wait for one of them',
    /Warte auf eine/,
  ],
  [
    'live/src/profile/notices.rs',
    'was damaged and is kept as',
    'settings.json was damaged and is kept as settings.json.damaged-1; a new name and colour are proposed',
    /^settings\.json war beschädigt und liegt jetzt als settings\.json\.damaged-1 daneben\. Name und Farbe/,
  ],
  ['live/src/profile/mod.rs', 'a new name and colour are proposed', '', /Name und Farbe/],
  ['live/src/profile/mod.rs', 'private rooms need a ticket again', '', /neuen Einladung/],
  ['live/src/profile/boot.rs', 'the profile goes on with a new start counter', '', /geht weiter/],
  ['live/src/profile/mod.rs', 'others of the room tell again who its hosts are', '', /Wer Host ist/],
  [
    'live/src/profile/rooms_file.rs',
    'the list of rooms that were opened before it was kept elsewhere is lost',
    '',
    /früherer Räume/,
  ],
  ['live/src/store/mod.rs', 'what others still have of your rooms comes back from them', '', /kommt von ihnen zurück/],
  [
    'live/src/store/mod.rs',
    'what could be read of it was saved, and what others still have comes back from them',
    '',
    /ist gerettet/,
  ],
  [
    'live/src/saving.rs',
    'what others have of it comes back',
    'what was kept of plan cannot be read: broken; what others have of it comes back',
    /„plan“ gespeichert war/,
  ],
  [
    'live/src/saving.rs',
    'Whoever is in the room has it all the same',
    'plan is not saved: the disk is full, so /home/a/rooms.redb was not written; what was saved before is safe, make room and it is saved again. Whoever is in the room has it all the same',
    /^„plan“ ist nicht gespeichert\. Die Festplatte ist voll\. .* Wer im Raum ist/,
  ],
  [
    'live/src/store/error.rs',
    'what was saved before is safe, make room and it is saved again',
    'the disk is full, so /x/rooms.redb was not written; what was saved before is safe, make room and it is saved again',
    /mach Platz/,
  ],
  [
    'live/src/store/error.rs',
    'check the disk and who may write there',
    'cannot use /x/rooms.redb: denied; check the disk and who may write there',
    /^rooms\.redb ist nicht zu benutzen/,
  ],
  [
    'live/src/profile/mod.rs',
    'cannot write {}: {error}',
    'cannot write /x/settings.json: denied',
    /^settings\.json lässt sich nicht/,
  ],
  [
    'live/src/store/error.rs',
    'start the newer Parlor again, or move the',
    '/x/rooms.redb is of version 9 and this Parlor reads up to version 3; start the newer Parlor again, or move the file away to begin with no rooms',
    /neueren Parlor/,
  ],
  [
    'live/src/store/error.rs',
    'it is set aside and begun anew with what is open',
    '/x/rooms.redb is damaged (bad page); it is set aside and begun anew with what is open',
    /beiseitegelegt/,
  ],
  [
    'live/src/store/error.rs',
    'is in use by another process; close it there',
    '/x/rooms.redb is in use by another process; close it there',
    /Schließ es dort/,
  ],
  [
    'live/src/store/cells.rs',
    'were damaged and are left out; who else has them brings them back',
    '3 notes or settings in rooms.redb were damaged and are left out; who else has them brings them back',
    /^3 Notizen/,
  ],
  [
    'live/src/open_rooms.rs',
    'the new key was not kept',
    'plan: the new key was not kept: denied',
    /Schlüssel von „plan“/,
  ],
  [
    'live/src/session.rs',
    'cannot go on: {error}; start it again',
    'cannot go on: the port is taken; start it again',
    /Starte es neu/,
  ],
];

describe('what peers say, in German', () => {
  it.each(SAID)('in %s: %s', (file, written, said, german) => {
    const source = readFileSync(crates + file, 'utf8').replace(/\\\n\s*/g, '');
    expect(source).toContain(written);
    const words = inGerman(said === '' ? written : said);
    expect(words).toMatch(german);
    expect(words).not.toMatch(/  |undefined|\b(the|and|is)\b/);
  });

  it('is quoted where it is not known, and names in it stay as they are', () => {
    expect(inGerman('the moon is full')).toBeNull();
    expect(de.peerSays('the moon is full')).toBe('Der Peer meldet: „The moon is full.“');
    expect(inGerman('"say \\"hi\\"" is open here as a private room')).toContain('say "hi"');
  });
});

/**
 * What a peer says, in German. Peers speak English, to programs and logs as well, so a person is told what a sentence means
 * where it is known, and the sentence itself where it is not. The test sees to it that peers still say these.
 */
import { apart } from '../domain/line';

type Said = readonly [sentence: RegExp, german: (...parts: readonly string[]) => string];

/** What a peer puts around it is how a program writes a text; nothing of it is of the name. */
const named = (quoted = ''): string => apart(quoted.replace(/^"|"$/g, '').replaceAll('\\"', '"'));
/** Of a path, what a person knows it by. */
const file = (path = ''): string => apart(path.split(/[/\\]/).at(-1) ?? path);

const SAID: readonly Said[] = [
  // Tickets and rooms.
  [
    /^a ticket begins with `parlor:` or `parlor:\/\/join\/`$/,
    () => 'Eine Einladung beginnt mit „parlor:“ oder „parlor://join/“.',
  ],
  [
    /^the ticket is damaged: a character of it is missing or wrong$/,
    () => 'Die Einladung ist beschädigt: Ein Zeichen fehlt oder ist falsch.',
  ],
  [
    /^the ticket was made by a newer version of Parlor$/,
    () => 'Die Einladung ist von einem neueren Parlor. Aktualisiere Parlor auf diesem Computer.',
  ],
  [/^the ticket contradicts itself$/, () => 'Die Einladung widerspricht sich selbst.'],
  [
    /^this profile knows another private room of that name; forget it first$/,
    () => 'Du kennst schon einen anderen privaten Raum dieses Namens. Vergiss erst den.',
  ],
  [
    /^the room's key was changed after this ticket was given$/,
    () => 'Der Schlüssel des Raums wurde geändert, nachdem es diese Einladung gab. Bitte um eine neue.',
  ],
  [
    /^you are in another room of that name; leave it first$/,
    () => 'Du bist in einem anderen Raum dieses Namens. Verlass erst den.',
  ],
  [
    /^a host of (".*") changed its key, and you did not get the new one$/,
    (room) => `Ein Host hat den Schlüssel von „${named(room)}“ geändert, und du hast den neuen nicht bekommen.`,
  ],
  [
    /^the key of the private room (".*") is lost: join with a ticket, or forget the room$/,
    (room) =>
      `Der Schlüssel des privaten Raums „${named(room)}“ ist verloren. Komm mit einer Einladung hinein, oder vergiss den Raum.`,
  ],
  [/^(".*") is open here as a private room$/, (room) => `„${named(room)}“ ist hier als privater Raum offen.`],
  [
    /^(".*") is open here as (?:an open room or another private one|another room)$/,
    (room) => `„${named(room)}“ ist hier als anderer Raum offen.`,
  ],
  [/^only a host of a private room may do this$/, () => 'Das darf nur ein Host eines privaten Raums.'],
  [/^only who made the room names its hosts$/, () => 'Hosts bestimmt nur, wer den Raum gegründet hat.'],
  // Addresses.
  [
    /^(".*") is not an address; give /,
    (text) => `„${named(text)}“ ist keine Adresse. Eine sieht aus wie 192.168.1.20:4747.`,
  ],
  [
    /^(".*") cannot be dialled; give /,
    (text) => `„${named(text)}“ lässt sich nicht anwählen. Eine Adresse sieht aus wie 192.168.1.20:4747.`,
  ],
  [
    /^(".*") has port 0; give the port of the peer$/,
    (text) => `„${named(text)}“ hat den Port 0. Nimm den des anderen Fensters.`,
  ],
  [/^(".*") names no computer; give the address of the peer$/, (text) => `„${named(text)}“ nennt keinen Computer.`],
  [
    /^\d+ addresses are being dialled already; wait for one of them$/,
    () => 'Es werden schon viele Adressen angewählt. Warte auf eine davon.',
  ],
  // The disk.
  [
    /^(.+) was damaged and is kept as (.+?); (.+)$/,
    (what, aside, instead = '') =>
      `${file(what)} war beschädigt und liegt jetzt als ${file(aside)} daneben. ${inGerman(instead) ?? ''}`.trim(),
  ],
  [/^a new name and colour are proposed$/, () => 'Name und Farbe werden neu vorgeschlagen.'],
  [/^private rooms need a ticket again$/, () => 'In private Räume kommst du nur mit einer neuen Einladung.'],
  [/^the profile goes on with a new start counter$/, () => 'Das Profil geht weiter.'],
  [
    /^others of the room tell again who its hosts are$/,
    () => 'Wer Host ist, erfährst du wieder von den anderen im Raum.',
  ],
  [
    /^the list of rooms that were opened before it was kept elsewhere is lost$/,
    () => 'Die Liste früherer Räume ist verloren.',
  ],
  [
    /^what others still have of your rooms comes back from them$/,
    () => 'Was andere noch aus deinen Räumen haben, kommt von ihnen zurück.',
  ],
  [
    /^what could be read of it was saved, and what others still have comes back from them$/,
    () => 'Was lesbar war, ist gerettet, und was andere noch haben, kommt von ihnen zurück.',
  ],
  [
    /^what was kept of (.+?) cannot be read: .+; what others have of it comes back$/,
    (room) => `Was von „${named(room)}“ gespeichert war, ist nicht zu lesen. Was andere davon haben, kommt zurück.`,
  ],
  [
    /^(.+?) is not saved: (.+)\. Whoever is in the room has it all the same$/,
    (room, why = '') =>
      `„${named(room)}“ ist nicht gespeichert. ${inGerman(why) ?? ''} Wer im Raum ist, hat trotzdem alles.`.replace(
        '  ',
        ' ',
      ),
  ],
  [
    /^the disk is full, so (.+) was not written; what was saved before is safe, make room and it is saved again$/,
    () => 'Die Festplatte ist voll. Was vorher gespeichert war, ist sicher; mach Platz, dann wird wieder gespeichert.',
  ],
  [
    /^cannot use (.+?): .+; check the disk and who may write there$/,
    (path) => `${file(path)} ist nicht zu benutzen. Sieh nach der Festplatte und wer dort schreiben darf.`,
  ],
  [
    /^cannot (?:read|write) (.+?): .+$/,
    (path) => `${file(path)} lässt sich nicht lesen oder schreiben. Sieh nach der Festplatte.`,
  ],
  [
    /^(.+) is of version \d+ and this Parlor reads up to version \d+; start the newer Parlor again, or move the file away to begin with no rooms$/,
    (path) => `${file(path)} ist von einem neueren Parlor. Starte das neuere wieder.`,
  ],
  [
    /^(.+) is damaged \(.*\); it is set aside and begun anew with what is open$/,
    (path) => `${file(path)} ist beschädigt. Es wird beiseitegelegt und mit dem, was offen ist, neu begonnen.`,
  ],
  [
    /^(.+) is in use by another process; close it there$/,
    (path) => `${file(path)} ist in einem anderen Programm offen. Schließ es dort.`,
  ],
  [
    /^(\d+) notes or settings in (.+) were damaged and are left out; who else has them brings them back$/,
    (count, path) =>
      `${count} Notizen oder Einstellungen in ${file(path)} waren beschädigt und fehlen. Wer sie noch hat, bringt sie zurück.`,
  ],
  [
    /^(.+): the new key was not kept: .+$/,
    (room) => `Der neue Schlüssel von „${named(room)}“ wurde nicht gespeichert.`,
  ],
  [/^cannot go on: .+; start it again$/, () => 'Parlor kann nicht weitermachen. Starte es neu.'],
];

/** Null for what is not known. */
export function inGerman(sentence: string): string | null {
  for (const [said, german] of SAID) {
    const parts = said.exec(sentence.trim());
    if (parts !== null) return german(...parts.slice(1));
  }
  return null;
}

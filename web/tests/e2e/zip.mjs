// A ZIP archive (XLSX) taken apart and put together again: for tests that write into a workbook as a person would.
import { crc32, inflateRawSync } from 'node:zlib';

const u16 = (value) => Buffer.from([value & 255, value >> 8]);
const u32 = (value) => Buffer.from([value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255]);

// Name to bytes, by the central directory.
export function unpack(archive) {
  let end = archive.length - 22;
  while (archive.readUInt32LE(end) !== 0x06054b50) end -= 1;
  const files = new Map();
  let at = archive.readUInt32LE(end + 16);
  for (let count = archive.readUInt16LE(end + 10); count > 0; count -= 1) {
    const [method, size, nameSize, extraSize, noteSize, start] = [10, 20, 28, 30, 32, 42].map((place) => (place === 20 || place === 42 ? archive.readUInt32LE(at + place) : archive.readUInt16LE(at + place)));
    const body = start + 30 + archive.readUInt16LE(start + 26) + archive.readUInt16LE(start + 28);
    const packed = archive.subarray(body, body + size);
    files.set(archive.toString('utf8', at + 46, at + 46 + nameSize), method === 0 ? packed : inflateRawSync(packed));
    at += 46 + nameSize + extraSize + noteSize;
  }
  return files;
}

// Stored, not compressed: every reader takes it.
export function pack(files) {
  const bodies = [];
  const heads = [];
  let offset = 0;
  for (const [name, content] of files) {
    const title = Buffer.from(name);
    const common = Buffer.concat([u16(20), u16(0), u16(0), u16(0), u16(0x21), u32(crc32(content)), u32(content.length), u32(content.length), u16(title.length), u16(0)]);
    const body = Buffer.concat([u32(0x04034b50), common, title, content]);
    heads.push(Buffer.concat([u32(0x02014b50), u16(20), common, u16(0), u16(0), u16(0), u32(0), u32(offset), title]));
    bodies.push(body);
    offset += body.length;
  }
  const directory = Buffer.concat(heads);
  const end = Buffer.concat([u32(0x06054b50), u16(0), u16(0), u16(files.size), u16(files.size), u32(directory.length), u32(offset), u16(0)]);
  return Buffer.concat([...bodies, directory, end]);
}

// SPDX-License-Identifier: MIT
// Which attachments get onto the page. hil/report/browser_test.ts shows them in a browser.
import { assertEquals } from "@std/assert";
import { encodePng } from "../patterns/show_picture.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { PagePictures } from "./pictures.ts";

Deno.test("PagePictures.read() reads pictures in the folder of attachments, and no other file", () => {
  const dir = tempDir();
  Deno.mkdirSync(`${dir}/run/attachments/case`, { recursive: true });
  const png = encodePng(new Uint8Array(12), 2, 2);
  const inside = `${dir}/run/attachments/case`;
  Deno.writeFileSync(`${inside}/a.png`, png);
  Deno.writeFileSync(`${dir}/secret.png`, png);
  Deno.writeTextFileSync(`${inside}/text.png`, "no picture");
  Deno.symlinkSync(`${dir}/secret.png`, `${inside}/link.png`);
  const files = ["a.png", "text.png", "link.png", "missing.png", "../../../secret.png"].map((
    name,
  ) => `attachments/case/${name}`);
  const attachments = [...files, "../secret.png", `${dir}/secret.png`, "attachments"].map((
    file,
  ) => ({
    ...{ name: "x", file, bytes: 1 },
  }));
  const read = (folder: string | null) => new PagePictures().read(folder, attachments);
  assertEquals(read(`${dir}/run`), [{ name: "a", png: png.toBase64() }]);
  assertEquals(read(null), []);
  assertEquals(read("/no/such/folder"), []);
});

Deno.test("PagePictures.read() leaves out what is too large for one page", () => {
  const dir = tempDir();
  Deno.mkdirSync(`${dir}/attachments/case`, { recursive: true });
  const large = new Uint8Array(8 << 20);
  large.set(encodePng(new Uint8Array(12), 2, 2));
  const attachments = Array.from({ length: 5 }, (_, i) => {
    const file = `attachments/case/${i}.png`;
    Deno.writeFileSync(`${dir}/${file}`, large);
    return { name: `${i}.png`, file, bytes: large.length };
  });
  const pictures = new PagePictures();
  assertEquals(pictures.read(dir, attachments).length, 4);
  assertEquals(pictures.read(dir, attachments).length, 0);
  Deno.writeFileSync(`${dir}/attachments/case/0.png`, new Uint8Array([...large, 0]));
  assertEquals(new PagePictures().read(dir, attachments.slice(0, 1)), []);
});

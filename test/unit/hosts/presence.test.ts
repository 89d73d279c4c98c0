import { describe, expect, test } from "vitest";
import { readMarks } from "../../../components/hosts/containers/presence.ts";

describe("what the engine has", () => {
  test("is known by name and mark, with the slash that the engine puts before a container's name taken off", () => {
    const lines =
      '/demo-site-a\t{"understudy.deployment":"demo","understudy.mark":"m1"}\ndemo\t{"understudy.mark":"m2"}\n';
    expect(readMarks(lines)).toEqual({ "demo-site-a": "m1", demo: "m2" });
  });

  test("counts as there without a mark of ours, so that nobody's container is made a second time", () => {
    expect(readMarks('/demo-dns\tnull\n/demo-site-b\t{"other":"label"}\n')).toEqual({
      "demo-dns": "",
      "demo-site-b": "",
    });
  });

  test("is nothing where the engine found nothing", () => {
    expect(readMarks("\n")).toEqual({});
  });
});

import { expect, test } from "vitest";
import { adoptionOf } from "../../../../components/hosts/machines/survey/parseAdoption.ts";

const directory = "/var/lib/postgresql/17/main";
const running = [
  ["directory", directory],
  ["autoconf", "max_connections"],
  ["tablespace", "/srv/space"],
  ["prepared", "2"],
  ["size", "2048"],
  ["control", "Database cluster state", "in production"],
  ["control", "max_prepared_xacts setting", "3"],
  ["server", "812"],
  ["sql", "superuser", "t"],
  ["sql", "setting", "TimeZone"],
  ["sql", "role", "verifier", "lacks LOGIN"],
];

test("a data directory whose server runs", () => {
  expect(adoptionOf([...running, ["sql", "end"]])).toEqual({
    found: {
      directory,
      taken: false,
      obstacle: null,
      elsewhere: null,
      otherServer: 812,
      autoConf: ["max_connections"],
      tablespaces: ["/srv/space"],
      walDirectory: null,
      recoverySignal: false,
      preparedTransactions: 2,
      ranWith: { max_prepared_transactions: 3 },
      access: null,
      roles: { verifier: "lacks LOGIN" },
    },
    data: { state: "ready", control: { state: "in production" }, standbySignal: false },
    settings: ["TimeZone"],
    sizeBytes: 2 * 2 ** 20,
  });
});

test.each<[string, readonly (readonly string[])[], string]>([
  [
    "that lets nobody in",
    [["sql", "psql: error: connection failed: FATAL:  no pg_hba.conf entry"]],
    "psql: error: connection failed: FATAL:  no pg_hba.conf entry",
  ],
  ["whose answer was cut off", [["sql", "superuser", "t"]], "superuser t"],
  ["that says nothing", [], "psql did not come to its end"],
  [
    "whose postgres may not do everything",
    [
      ["sql", "superuser", "f"],
      ["sql", "end"],
    ],
    'role "postgres" is no superuser',
  ],
])("a server %s", (_, said, access) => {
  const found = adoptionOf([["directory", directory], ["server", "812"], ...said]);
  expect(found?.found.access).toBe(access);
});

test("a server that is down was not asked", () => {
  expect(adoptionOf([["directory", directory]])?.found).toMatchObject({ access: null, otherServer: null });
});

test("one that has been taken, and one while the data is elsewhere", () => {
  expect(
    adoptionOf([
      ["directory", directory],
      ["taken", directory],
    ])?.found,
  ).toMatchObject({
    taken: true,
    elsewhere: null,
  });
  expect(
    adoptionOf([
      ["directory", directory],
      ["taken", "/other"],
    ])?.found,
  ).toMatchObject({
    taken: false,
    elsewhere: "/other",
  });
  expect(adoptionOf([])).toBeNull();
});

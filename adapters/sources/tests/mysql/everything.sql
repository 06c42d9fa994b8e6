-- Everything that a database of MariaDB can hold. The large table gets as many rows as @rows says.
SET NAMES utf8mb4;
SET sql_mode = '';
SET time_zone = '+00:00';

CREATE TABLE kinds (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  ti TINYINT, tiu TINYINT UNSIGNED, si SMALLINT, mi MEDIUMINT, i INT, iz INT ZEROFILL, bi BIGINT, biu BIGINT UNSIGNED, b BOOLEAN,
  de DECIMAL(65, 30), nu NUMERIC(5, 0), f FLOAT, d DOUBLE, bt1 BIT(1), bt64 BIT(64),
  da DATE, ti0 TIME, ti6 TIME(6), dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP(6) NULL, y YEAR,
  ch CHAR(10), vc VARCHAR(300) CHARACTER SET latin1, utf VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, bn BINARY(8), vb VARBINARY(300),
  tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT,
  en ENUM('a', 'b,c', 'd''e', 'ü'), se SET('x', 'y', 'z'), js JSON, ip4 INET4, ip6 INET6, uu UUID,
  ge GEOMETRY, po POINT, li LINESTRING, pg POLYGON, mp MULTIPOINT, ml MULTILINESTRING, my MULTIPOLYGON, gc GEOMETRYCOLLECTION,
  vir INT AS (i + 1) VIRTUAL, sto VARCHAR(60) AS (CONCAT(utf, '!')) STORED, inv INT INVISIBLE DEFAULT 5,
  PRIMARY KEY (id), KEY on_vir (vir), UNIQUE KEY on_utf (utf), FULLTEXT KEY on_tx (tx), CHECK (ti IS NULL OR ti > -129)
) AUTO_INCREMENT = 77 COMMENT = 'every; kind -- of ''column''\nand a line';
INSERT INTO kinds (ti, tiu, si, mi, i, iz, bi, biu, b, de, nu, f, d, bt1, bt64, da, ti0, ti6, dt, dt6, ts, y, ch, vc, utf, bn, vb, tb, bl, mb, lb, tt, tx, mt, lt, en, se, js,
  ip4, ip6, uu, ge, po, li, pg, mp, ml, my, gc) VALUES
  (-128, 255, -32768, 8388607, -2147483648, 42, -9223372036854775808, 18446744073709551615, TRUE,
   -12345678901234567890123456789012345.123456789012345678901234567890, 99999, 1.5e-30, 2.2250738585072014e-308, b'1', b'1000000000000000000000000000000000000000000000000000000000000001',
   '9999-12-31', '-838:59:59', '12:34:56.000001', '1000-01-01 00:00:00', '2026-02-03 04:05:06.789012', '2026-02-03 04:05:06.789012', 2155,
   'a  b', 'Zoë -- ''"`\\ \0 \Z % _', '漢字 🦀 ', x'0001fffe00', x'00ff0a0d1a5c2722', x'00', x'ff', '', NULL, 'tiny', 'tab\tline\nreturn\rback\\slash', '-- Dump completed', 'a\n-- Table structure for table `kinds`\nb',
   'd''e', 'x,z', '{"a": [1, "ü", null]}', '10.0.0.1', '2001:db8::1', '123e4567-e89b-12d3-a456-426655440000',
   ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(1.5 -2.5)', 4326), ST_GeomFromText('LINESTRING(0 0,1 1)'), ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'),
   ST_GeomFromText('MULTIPOINT(0 0,1 1)'), ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'), ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))'), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0000-00-00', NULL, NULL, '0000-00-00 00:00:00', '2026-00-00 00:00:00', NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- Every byte, and every pair of them.
CREATE TABLE bytes (id INT PRIMARY KEY, b LONGBLOB, t LONGTEXT CHARACTER SET latin1);
INSERT INTO bytes SELECT s.seq, UNHEX(LPAD(HEX(s.seq), 4, '0')), CONVERT(UNHEX(LPAD(HEX(s.seq), 4, '0')) USING latin1) FROM seq_0_to_65535 s;
INSERT INTO bytes VALUES (-1, REPEAT(x'00ff27225c0a0d1a', 500000), NULL), (-2, '', '');

CREATE TABLE many (id BIGINT PRIMARY KEY, word VARCHAR(40), at DATETIME(3), KEY (word)) COLLATE utf8mb4_unicode_ci;
INSERT INTO many SELECT seq, MD5(seq), '2026-01-01' + INTERVAL seq SECOND FROM seq_1_to_5000000 WHERE seq <= @rows LIMIT 5000000;

CREATE TABLE `näme with 'quotes' "double" ``ticks`` -- ; \\ /*` (`a ``b` INT, `c "d'` VARCHAR(10), PRIMARY KEY (`a ``b`));
INSERT INTO `näme with 'quotes' "double" ``ticks`` -- ; \\ /*` VALUES (1, 'x'), (0, 'y');
CREATE TABLE parents (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20) NOT NULL DEFAULT (CONCAT('n', 1)));
CREATE TABLE children (id INT PRIMARY KEY, parent INT, CONSTRAINT child_of FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE);
CREATE TABLE touched (n INT NOT NULL DEFAULT 0);
INSERT INTO parents VALUES (1, 'one'), (2, 'two');
INSERT INTO children VALUES (10, 1), (20, 2);
INSERT INTO touched VALUES (0);
CREATE TABLE slices (id INT NOT NULL, y INT NOT NULL, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO slices SELECT seq, seq FROM seq_1_to_30;
CREATE TABLE empty_one (id INT);
CREATE TABLE history (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
INSERT INTO history VALUES (1, 1);
UPDATE history SET v = 2;
CREATE SEQUENCE counter START WITH 5 INCREMENT BY 3;
DO NEXTVAL(counter), NEXTVAL(counter);
CREATE TABLE draws (id BIGINT NOT NULL DEFAULT NEXTVAL(counter) PRIMARY KEY, n INT);
INSERT INTO draws (n) VALUES (1), (2);

CREATE VIEW z_view AS SELECT id, CONCAT(name, ' ''q'' `t`') AS name FROM parents WITH CASCADED CHECK OPTION;
CREATE VIEW a_view_on_z AS SELECT z.id, z.name, c.id AS child FROM z_view z JOIN children c ON c.parent = z.id;
CREATE DEFINER = `gone`@`nowhere` SQL SECURITY DEFINER VIEW of_nobody AS SELECT id FROM parents;

DELIMITER //
CREATE TRIGGER parents_touch AFTER INSERT ON parents FOR EACH ROW
BEGIN
-- Table structure for table `trigger`; and "quotes" ' of both kinds
  UPDATE touched SET n = n + 1;
END//
CREATE PROCEDURE greet(IN who VARCHAR(20) CHARACTER SET utf8mb4, OUT said VARCHAR(40) CHARACTER SET utf8mb4) READS SQL DATA COMMENT 'says ü'
BEGIN
-- Dump completed
-- Table structure for table `procedure`
  SET said = CONCAT('grüß dich, ', who, '; it''s');
END//
CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2//
CREATE DEFINER = `gone`@`nowhere` PROCEDURE of_nobody_too() SELECT 1//
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'//
CREATE FUNCTION "in another mode"(s VARCHAR(10)) RETURNS VARCHAR(30) DETERMINISTIC RETURN s || ' "x"'//
SET sql_mode = ''//
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' COMMENT 'at night' DO DELETE FROM touched WHERE n > 1000//
CREATE EVENT once ON SCHEDULE AT '2037-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE DO BEGIN UPDATE touched SET n = 0; END//
DELIMITER ;

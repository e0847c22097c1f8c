;; Dot products of one vector of bytes with many others, sixteen bytes at a time.
;; dot-products.wasm is made of this file; src/search/dot-products.test.ts compares the two.
(module
  (memory (export "memory") 1)

  ;; $slots: the numbers of the rows, i32 each; $count of them. Rows stand at 0, $stride bytes each, a multiple of 16.
  ;; $query: a row like the others. $out: takes one i32 for each slot.
  (func (export "dots")
    (param $slots i32) (param $count i32) (param $stride i32) (param $query i32) (param $out i32)
    (local $row i32) (local $at i32) (local $end i32) (local $sum v128) (local $a v128) (local $b v128)
    (local.set $end (i32.add (local.get $query) (local.get $stride)))
    (block $done
      (loop $each
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $row (i32.mul (i32.load (local.get $slots)) (local.get $stride)))
        (local.set $at (local.get $query))
        (local.set $sum (v128.const i32x4 0 0 0 0))
        (loop $bytes
          (local.set $a (v128.load (local.get $row)))
          (local.set $b (v128.load (local.get $at)))
          (local.set $sum
            (i32x4.add
              (local.get $sum)
              (i32x4.add
                (i32x4.extadd_pairwise_i16x8_s (i16x8.extmul_low_i8x16_s (local.get $a) (local.get $b)))
                (i32x4.extadd_pairwise_i16x8_s (i16x8.extmul_high_i8x16_s (local.get $a) (local.get $b))))))
          (local.set $row (i32.add (local.get $row) (i32.const 16)))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $bytes (i32.lt_u (local.get $at) (local.get $end))))
        (i32.store (local.get $out)
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
            (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
        (local.set $slots (i32.add (local.get $slots) (i32.const 4)))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $each)))))
